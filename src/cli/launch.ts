import { realpathSync } from "node:fs"
import { availableParallelism } from "node:os"
import { resolve } from "node:path"
import { InputError } from "../inputError.js"
import { launch } from "../launch/launch.js"
import { localLauncher } from "../launch/local.js"
import { arrayScript, mergeScript, type SlurmRequest } from "../launch/slurm/script.js"
import { slurmLauncher } from "../launch/slurm/slurm.js"
import { type SweepArray, taskWords } from "../launch/sweepArray.js"
import { integer, oneOf } from "../optionText.js"
import { environment } from "../report/environment.js"
import { exportFiles } from "../sweep/export.js"
import { readConfig } from "../sweep/readConfig.js"
import { openStore } from "../sweep/store.js"
import { interruption } from "./interruption.js"
import { writeOutcomes } from "./sweepOutcomes.js"

/** Options of `launch` as typed. */
export interface LaunchCommandOptions {
  readonly array: string
  readonly store: string
  readonly out?: string
  readonly cpus: string
  readonly atOnce?: string
  readonly dryRun?: boolean
  readonly wait: boolean
  readonly time?: string
  readonly gpus?: string
  readonly memory?: string
  readonly partition?: string
  readonly account?: string
  readonly json?: boolean
}

/** Options that only Slurm has. */
const SLURM_ONLY = ["time", "gpus", "memory", "partition", "account"] as const

/** Does a sweep as an array of tasks on a cluster or on this machine, and merges what they store into one store. */
export async function launchCommand(
  where: string,
  path: string,
  words: readonly string[],
  options: LaunchCommandOptions,
): Promise<number> {
  const place = oneOf("launch", where, ["slurm", "local"])
  const config = await readConfig(path)
  const files = options.out === undefined ? [] : exportFiles(options.out, config.experiment)
  const array = arrayOf(path, options)
  const atOnce = options.atOnce === undefined ? null : integer("--at-once", options.atOnce)
  const request: SlurmRequest = { ...options, atOnce, words }
  if (place === "local") requireNone(options, words)
  else if (words[0] !== undefined && !words[0].startsWith("-"))
    throw new InputError({
      field: "launch slurm",
      given: words.join(" "),
      allowed: "one configuration file, and options of sbatch after --",
      example: "launch slurm sweep.yaml --array 64 --store runs.duckdb -- --qos=long",
    })
  if (options.dryRun) {
    const tasks = Array.from({ length: array.count }, (_, i) => i + 1)
    process.stdout.write(
      place === "local"
        ? tasks.map((task) => `${taskWords(array, task).join(" ")}\n`).join("")
        : `${arrayScript(array, request, tasks)}\n# and when its tasks have ended (sbatch --dependency=afterany:JOB)\n` +
            mergeScript(array, request),
    )
    return 0
  }
  const tell = (line: string) => process.stderr.write(`${line}\n`)
  const launcher =
    place === "slurm"
      ? slurmLauncher(array, request, tell)
      : localLauncher(array, atOnce ?? Math.max(1, Math.floor(availableParallelism() / array.threads)))
  const how = { wait: options.wait, tell, signal: interruption.signal, environment: environment() }
  const runs = await launch(config, array, launcher, how)
  if (runs === null) {
    tell("the same command again watches them, begins again those that were killed, and merges")
    return 0
  }
  const store = await openStore(array.store, environment())
  try {
    await writeOutcomes(store, config, runs, files, options)
  } finally {
    await store.close()
  }
  return 0
}

function arrayOf(path: string, { array, store, cpus }: LaunchCommandOptions): SweepArray {
  if (store === ":memory:")
    throw new InputError({ field: "--store", given: store, allowed: "a file", example: "--store runs.duckdb" })
  return {
    config: resolve(path),
    count: integer("--array", array),
    store: resolve(store),
    threads: integer("--cpus", cpus),
    program: [process.execPath, realpathSync(process.argv[1]!)],
  }
}

/** @throws InputError for what only Slurm is asked for. */
function requireNone(options: LaunchCommandOptions, words: readonly string[]): void {
  const given = SLURM_ONLY.filter((name) => options[name] !== undefined).map((name) => `--${name} ${options[name]}`)
  const wrong = [...given, ...(options.wait ? [] : ["--no-wait"]), ...words]
  if (wrong.length === 0) return
  throw new InputError({
    field: "launch local",
    given: wrong.join(" "),
    allowed: "--array, --store, --out, --cpus and --at-once: the rest is asked of Slurm",
    example: "launch local sweep.yaml --array 8 --store runs.duckdb",
  })
}
