import { existsSync } from "node:fs"
import { totalmem } from "node:os"
import { InputError } from "../inputError.js"
import { mebibytes } from "../mebibytes.js"
import { environment } from "../report/environment.js"
import type { SweepConfig } from "../sweep/config.js"
import { costing, memoryNeeded } from "../sweep/cost.js"
import { exportFiles } from "../sweep/export.js"
import type { FineTuneSweep } from "../sweep/fineTuneConfig.js"
import { type Plan, plan, plannedSoFar, runPlan } from "../sweep/plan.js"
import type { PlannedRun } from "../sweep/plannedRun.js"
import { readConfig } from "../sweep/readConfig.js"
import { parseShard } from "../sweep/shard.js"
import { openStore, type Store } from "../sweep/store.js"
import { cardPlans } from "../sweep/tuningPlan.js"
import type { Gpu } from "../train/gpu/device.js"
import type { Pool } from "../train/pool.js"
import { TuningFailure } from "../train/tuning/engine.js"
import { openTuningEngine } from "../train/tuning/engines.js"
import { backendOption, openDevice, poolOn, requireEngine } from "./backendOption.js"
import { cardTable } from "./cardTable.js"
import { interruption } from "./interruption.js"
import { progress } from "./progress.js"
import { writeOutcomes } from "./sweepOutcomes.js"
import { threads } from "./threads.js"

/** Options of `sweep` as typed. */
export interface SweepCommandOptions {
  readonly store?: string
  readonly shard?: string
  readonly workers?: string
  readonly backend?: string
  readonly out?: string
  readonly plan?: boolean
  readonly json?: boolean
}

/** Does the runs of a configuration file that the store does not have, and writes their table. */
export async function sweepCommand(path: string, options: SweepCommandOptions): Promise<number> {
  const expect = (why: string) => process.stderr.write(`reckoned with what the file expects of its files: ${why}\n`)
  const { config, gpu } = await withBackend(await readConfig(path, options.plan ? { expect } : {}), options)
  try {
    return await sweepOn(gpu, config, options)
  } finally {
    gpu?.close()
  }
}

/** The sweep on a device, or on threads where there is none. */
async function sweepOn(gpu: Gpu | null, config: SweepConfig, options: SweepCommandOptions): Promise<number> {
  const place = placeOf(options)
  const planned = plan(config, options.shard === undefined ? undefined : parseShard(options.shard))
  const files = options.out === undefined ? [] : exportFiles(options.out, config.experiment)
  const workers = threads(options.workers)
  const costOf = costing()
  const largest = planned.sizes.reduce((most, { task }) => Math.max(most, costOf(task).bytes), 0)
  const memory = memoryNeeded(largest, workers)
  // What PyTorch computes on a card is not in this machine's memory.
  const isElsewhere = config.experiment === "finetune" && config.engine === "torch"
  if (!options.plan && !isElsewhere) requireMemory(memory, workers)
  const store = await openStore(place, environment())
  try {
    const runs = await plannedSoFar(planned, store)
    const remaining = runs.filter(({ id }) => !store.finished.has(id))
    const later = planned.later - (runs.length - planned.first.length)
    const operations = ({ task }: PlannedRun) => costOf(task).operations
    const mean = planned.sizes.reduce((sum, run) => sum + operations(run), 0) / Math.max(1, planned.sizes.length)
    const work = remaining.reduce((sum, run) => sum + operations(run), later * mean)
    process.stderr.write(
      `runs: ${runs.length}, ${runs.length - remaining.length} finished already; ${remaining.length} to do` +
        `${later > 0 ? `, and at most ${later} more around the minima` : ""}
${isElsewhere ? "" : `memory: at most ${mebibytes(memory)} (${Math.max(1, workers)} at a time, the largest ${mebibytes(largest)})\n`}\
work: about ${work.toPrecision(2)} floating-point operations\n${interpreted(planned.first)}`,
    )
    if (options.plan) {
      if (config.experiment === "finetune") process.stdout.write(cardTable(cardPlans(config, runs)))
      return 0
    }
    const bar = progress("sweeping", remaining.length + later, work)
    const done = await finishPlan(planned, store, await poolOn(gpu, workers, remaining.length + later), bar, operations)
    await writeOutcomes(store, config, done, files, { ...options, store: place })
    return 0
  } finally {
    await store.close()
  }
}

/** Where the runs are stored; a plan is looked at without leaving a store behind. @throws InputError without a file. */
function placeOf({ store, plan }: SweepCommandOptions): string {
  if (plan && (store === undefined || !existsSync(store))) return ":memory:"
  if (store !== undefined) return store
  throw new InputError({ field: "--store", given: "nothing", allowed: "a file", example: "--store runs.duckdb" })
}

/** Which schemes of a teacher-student sweep no kernel trains. */
function interpreted(runs: readonly PlannedRun[]): string {
  const own = runs.filter(
    ({ config: { experiment, backend } }) => experiment === "teacher-student" && backend === "reference",
  )
  const names = [...new Set(own.map(({ config }) => config.scheme))]
  return names.length === 0 ? "" : `no kernel trains ${names.join(", ")}: the reference interpreter does, in float64\n`
}

/** The configuration with the backend that the option or its own field asks for, and the device where that is a GPU. */
async function withBackend(
  config: SweepConfig,
  { backend, plan }: SweepCommandOptions,
): Promise<{ readonly config: SweepConfig; readonly gpu: Gpu | null }> {
  if (config.experiment === "finetune") return { config: await withTuningEngine(config, backend, plan), gpu: null }
  const own = config.backend === "gpu" || config.backend === "graph" ? config.backend : undefined
  const wanted = backendOption(backend ?? own)
  if (wanted === "graph") return { config: await asGraphs(config), gpu: null }
  const gpu = await openDevice(wanted)
  // Without an option the file's own field stands.
  const chosen = gpu !== null ? "gpu" : backend === undefined ? config.backend : "auto"
  return { config: { ...config, backend: chosen } as SweepConfig, gpu }
}

/** @throws InputError without the engine that a sweep of fine-tunings names, or where an option names another. */
async function withTuningEngine(
  config: FineTuneSweep,
  backend: string | undefined,
  planned = false,
): Promise<FineTuneSweep> {
  const { engine } = config
  const refuse = (field: string, given: string, allowed: string, example: string) =>
    new InputError({ field, given, allowed, example })
  if (backend !== undefined)
    throw refuse("--backend", backend, "none for fine-tunings: the file's engine computes them", `engine: ${engine}`)
  if (planned) return config
  try {
    await openTuningEngine(engine, config.torch ?? {}).check()
  } catch (error) {
    if (!(error instanceof TuningFailure)) throw error
    throw refuse("engine", engine, `one that is installed: ${error.message}`, error.message.split("; ").at(-1)!)
  }
  return config
}

/** @throws InputError without the engine, or for an experiment that has kernels of its own. */
async function asGraphs(config: SweepConfig): Promise<SweepConfig> {
  if (config.experiment !== "theory")
    throw new InputError({
      field: "--backend",
      given: "graph",
      allowed: `cpu, gpu or auto for ${config.experiment}, which has kernels of its own`,
      example: "--backend cpu",
    })
  await requireEngine()
  return { ...config, backend: "graph" }
}

/** Does what is left of the plan and gives all its runs. */
async function finishPlan(
  planned: Plan,
  store: Store,
  pool: Pool,
  bar: ReturnType<typeof progress>,
  work: (run: PlannedRun) => number,
): Promise<PlannedRun[]> {
  try {
    return await runPlan(planned, { pool, store, signal: interruption.signal }, (run) => bar.tick(work(run)))
  } finally {
    bar.stop()
    await pool.close()
  }
}

/** @throws InputError if the machine, or the limit put on the process, has less. */
function requireMemory(needed: number, workers: number): void {
  const limit = process.constrainedMemory()
  const memory = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  if (needed <= memory) return
  throw new InputError({
    field: workers > 1 ? "--workers" : "widths",
    given: `${workers} workers, which need ${mebibytes(needed)}`,
    allowed: `what fits into this machine's ${mebibytes(memory)}`,
    example: workers > 1 ? "--workers 1" : "[128, 256, 512]",
  })
}
