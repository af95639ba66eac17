import { existsSync } from "node:fs"
import { totalmem } from "node:os"
import { InputError } from "../inputError.js"
import { environment } from "../report/environment.js"
import { type Cost, costOf, memoryNeeded } from "../sweep/cost.js"
import { exportFiles, exportRuns, outcomeCounts } from "../sweep/export.js"
import { type Plan, plan, plannedSoFar, runPlan } from "../sweep/plan.js"
import type { PlannedRun } from "../sweep/plannedRun.js"
import { readConfig } from "../sweep/readConfig.js"
import { parseShard } from "../sweep/shard.js"
import { openStore, type Store } from "../sweep/store.js"
import { createPool } from "../train/pool.js"
import { interruption, progress, threads } from "./terminal.js"

/** Options of `sweep` as typed. */
export interface SweepCommandOptions {
  readonly store: string
  readonly shard?: string
  readonly workers?: string
  readonly out?: string
  readonly plan?: boolean
  readonly json?: boolean
}

/** Does the runs of a configuration file that the store does not have, and writes their table. */
export async function sweepCommand(path: string, options: SweepCommandOptions): Promise<number> {
  const config = await readConfig(path)
  const planned = plan(config, options.shard === undefined ? undefined : parseShard(options.shard))
  const files = options.out === undefined ? [] : exportFiles(options.out)
  const workers = threads(options.workers)
  const costs = planned.first.map(({ task }) => costOf(task))
  requireMemory(memoryNeeded(costs, workers), workers)
  // A plan is looked at without leaving a store behind.
  const place = options.plan && !existsSync(options.store) ? ":memory:" : options.store
  const store = await openStore(place, environment())
  try {
    const runs = await plannedSoFar(planned, store)
    process.stderr.write(statement(planned, runs, store, costs, workers))
    if (options.plan) return 0
    const ids = (await finishPlan(planned, runs, store, workers)).map(({ id }) => id)
    await exportRuns(store.connection, config.experiment, ids, files)
    report(await outcomeCounts(store.connection, ids), ids.length, files, options)
    return 0
  } finally {
    await store.close()
  }
}

async function finishPlan(planned: Plan, runs: PlannedRun[], store: Store, workers: number): Promise<PlannedRun[]> {
  const pool = createPool(workers)
  const remaining = runs.filter(({ id }) => !store.finished.has(id))
  const work = ({ task }: PlannedRun) => costOf(task).operations
  const total = remaining.reduce((sum, run) => sum + work(run), 0)
  const bar = progress("sweeping", remaining.length, total)
  try {
    return await runPlan(planned, { pool, store, signal: interruption.signal }, (run) => bar.tick(work(run)))
  } finally {
    bar.stop()
    await pool.close()
  }
}

/** What is to be done and what it takes, said before it begins. */
function statement({ rounds }: Plan, runs: PlannedRun[], store: Store, costs: readonly Cost[], workers: number) {
  const remaining = runs.filter(({ id }) => !store.finished.has(id))
  const operations = remaining.reduce((sum, { task }) => sum + costOf(task).operations, 0)
  const largest = costs.reduce((most, { bytes }) => Math.max(most, bytes), 0)
  const refined = rounds > 0 ? `, more in up to ${rounds} rounds of refinement` : ""
  return [
    `runs: ${runs.length}${refined}; ${runs.length - remaining.length} finished already, ${remaining.length} to do`,
    `memory: at most ${mebibytes(memoryNeeded(costs, workers))} (${Math.max(1, workers)} at a time, the largest ${mebibytes(largest)})`,
    `work: about ${operations.toPrecision(2)} floating-point operations`,
    "",
  ].join("\n")
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
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

function report(
  outcomes: Readonly<Record<string, number>>,
  runs: number,
  files: readonly string[],
  { store, json }: SweepCommandOptions,
): void {
  const counts = Object.entries(outcomes).map(([kind, count]) => `${count} ${kind}`)
  const text = `${store}: ${[`${runs} runs`, ...counts].join(", ")}\n${files.map((file) => `${file}\n`).join("")}`
  const value = { schema: "lora-scaling/sweep/1", store, runs, outcomes, files }
  process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : text)
}
