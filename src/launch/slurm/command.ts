import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"

/** What a program said. */
export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a program with a text on its standard input; null if there is no such program. */
export async function said(program: string, words: readonly string[], input = ""): Promise<Said | null> {
  const child = spawn(program, words)
  const missing = new Promise<"missing">((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? resolve("missing") : reject(error)))
  })
  const ended = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)))
  child.stdin.on("error", () => {})
  child.stdin.end(input)
  const found = await Promise.race([missing, Promise.all([ended, text(child.stdout), text(child.stderr)])])
  if (found === "missing") return null
  const [code, out, err] = found
  return { code, out, err: err.trim() }
}
