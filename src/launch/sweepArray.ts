import { createHash } from "node:crypto"
import { readdir } from "node:fs/promises"
import { join } from "node:path"

/** A sweep cut into tasks that run apart, each with its shard of the runs and a store of its own. */
export interface SweepArray {
  /** The configuration file, absolute. */
  readonly config: string
  /** How many tasks, one a shard. */
  readonly count: number
  /** The store that gets all runs in the end, absolute. */
  readonly store: string
  /** Threads of a task. */
  readonly threads: number
  /** The words that start this program, absolute. */
  readonly program: readonly string[]
}

/** The folder of the tasks' stores and logs, beside the store. */
export function partsFolder({ store }: SweepArray): string {
  return `${store}.parts`
}

/** The store of a task by its number, 1 … count, or by what stands for it in a script. */
export function partOf(array: SweepArray, task: number | string): string {
  return join(partsFolder(array), `${task}-of-${array.count}.duckdb`)
}

/** Where what a task says is written, named like its store. */
export function logOf(array: SweepArray, task: number | string): string {
  return join(partsFolder(array), `${task}-of-${array.count}.log`)
}

/** The stores that tasks have left, of arrays of other sizes too. */
export async function partsOf(array: SweepArray): Promise<string[]> {
  const folder = partsFolder(array)
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return []
    throw error
  })
  return names.filter((name) => /^\d+-of-\d+\.duckdb$/.test(name)).map((name) => join(folder, name))
}

/** The command of a task, word by word. */
export function taskWords(array: SweepArray, task: number | string): string[] {
  const { program, config, count, threads } = array
  const shard = ["--shard", `${task}/${count}`, "--workers", String(threads)]
  return [...program, "sweep", config, "--store", partOf(array, task), ...shard]
}

/** A name that two arrays have in common if and only if they fill the same store: what a queue knows an array by. */
export function nameOf({ store }: SweepArray): string {
  return `lora-scaling-${createHash("sha256").update(store).digest("hex").slice(0, 12)}`
}
