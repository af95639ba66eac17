import { type ChildProcess, execFile, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("../../dist/command/main.js", import.meta.url))

/** What a run of the program left. */
export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the built program in a folder as a user does. */
export function lora(folder: string, ...words: string[]): Promise<Ended> {
  return loraIn({ folder }, ...words)
}

/** Runs a built program, by default this one, with further variables of the environment. */
export function loraIn(
  { folder, main = program, env = {} }: { folder: string; main?: string; env?: Readonly<Record<string, string>> },
  ...words: string[]
): Promise<Ended> {
  const options = { cwd: folder, maxBuffer: 1e8, env: { ...process.env, ...env } }
  return new Promise((resolve) =>
    execFile(process.execPath, [main, ...words], options, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    ),
  )
}

/** Starts the built program in a folder; its stderr is piped. */
export function startLora(folder: string, ...words: string[]): ChildProcess {
  return startLoraIn({ folder }, ...words)
}

/** Starts the built program as {@link startLora}, with further variables of the environment. */
export function startLoraIn(
  { folder, env = {} }: { folder: string; env?: Readonly<Record<string, string>> },
  ...words: string[]
): ChildProcess {
  const options = { cwd: folder, env: { ...process.env, ...env } }
  return spawn(process.execPath, [program, ...words], { ...options, stdio: ["ignore", "ignore", "pipe"] })
}
