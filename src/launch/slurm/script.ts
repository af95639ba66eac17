import { logOf, nameOf, partsFolder, type SweepArray, taskWords } from "../sweepArray.js"
import { ranges } from "./ranges.js"

/** What is asked of Slurm for each task, in its own words; what is not given is the cluster's default. */
export interface SlurmRequest {
  readonly time?: string
  readonly gpus?: string
  readonly memory?: string
  readonly partition?: string
  readonly account?: string
  /** How many tasks may run at once; null for as many as there is room. */
  readonly atOnce: number | null
  /** Further words for sbatch. */
  readonly words: readonly string[]
}

/** What stands for a task's number until it is written in a form of its own: no path has it. */
const TASK = "\0"

/** The script of an array job: a task a shard. */
export function arrayScript(array: SweepArray, request: SlurmRequest, tasks: readonly number[]): string {
  const most = request.atOnce === null ? "" : `%${request.atOnce}`
  return script(
    [`--array=${ranges(tasks)}${most}`, `--output=${pattern(logOf(array, TASK))}`, ...asked(array, request)],
    taskWords(array, TASK).map(quoted),
  )
}

/** The script of the job that merges what the tasks have stored, once they have ended. */
export function mergeScript(array: SweepArray, request: SlurmRequest): string {
  const parts = `${quoted(`${partsFolder(array)}/`)}*.duckdb`
  return script(
    [`--output=${pattern(`${partsFolder(array)}/merge.log`)}`, ...asked(array, request)],
    [...array.program.map(quoted), "merge", parts, "--store", quoted(array.store)],
  )
}

/** The same for all jobs of an array: a cluster's rules for one hold for the other. */
function asked(array: SweepArray, { time, gpus, memory, partition, account, words }: SlurmRequest): string[] {
  const given = { time, gpus, mem: memory, partition, account }
  return [
    `--job-name=${nameOf(array)}`,
    "--open-mode=append",
    `--cpus-per-task=${array.threads}`,
    ...Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`])),
    ...(words.length === 0 ? [] : [words]),
  ].map((line) => (typeof line === "string" ? line : line.map(argument).join(" ")))
}

function script(options: readonly string[], words: readonly string[]): string {
  return `#!/bin/sh\n${options.map((option) => `#SBATCH ${option}\n`).join("")}exec ${words.join(" ")}\n`
}

/** A path in sbatch's form, where a per cent sign begins a variable. */
function pattern(path: string): string {
  return argument(path.replaceAll("%", "%%").replace(TASK, "%a"))
}

/** A word of an #SBATCH line, which splits words at blanks. */
function argument(word: string): string {
  return /[\s"'\\#]/.test(word) ? `"${word.replace(/["\\]/g, "\\$&")}"` : word
}

/** A word for the shell; only the task's number is left for it to fill in. */
function quoted(word: string): string {
  return word
    .split(TASK)
    .map((piece) => (/^[\w./:=@%+,-]*$/.test(piece) ? piece : `'${piece.replaceAll("'", `'\\''`)}'`))
    .join('"$SLURM_ARRAY_TASK_ID"')
}
