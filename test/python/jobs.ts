import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

/** A Python program that answers jobs one after the other, so that what it imports is loaded once. */
export interface PythonJobs {
  /** The answer to a job, both JSON; @throws Error with what the program wrote to stderr if it ends instead. */
  ask<T>(job: object): Promise<T>
  /** Ends the program once all jobs are answered, and gives what it wrote to stderr. */
  close(): Promise<string>
}

/** Starts a program of this folder that reads a job a line and answers by a line. */
export function startJobs(python: string, name: string): PythonJobs {
  const script = fileURLToPath(new URL(name, import.meta.url))
  const env = { ...process.env, HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false" }
  const program = spawn(python, [script], { env })
  const waiting: { readonly done: (answer: string) => void; readonly failed: (error: Error) => void }[] = []
  createInterface(program.stdout).on("line", (line) => waiting.shift()?.done(line))
  let told = ""
  program.stderr.on("data", (text) => {
    told += text
  })
  const ended = new Promise<string>((resolve) =>
    program.on("close", (code) => {
      for (const { failed } of waiting.splice(0)) failed(new Error(`${name} ended with ${code}: ${told}`))
      resolve(told)
    }),
  )
  // Who asked is told when the program closes.
  program.stdin.on("error", () => {})
  return {
    ask: async (job) => {
      if (program.exitCode !== null) throw new Error(`${name} has ended: ${told}`)
      const answer = new Promise<string>((done, failed) => waiting.push({ done, failed }))
      program.stdin.write(`${JSON.stringify(job)}\n`)
      return JSON.parse(await answer)
    },
    close: () => {
      program.stdin.end()
      return ended
    },
  }
}
