import { mkdir } from "node:fs/promises"
import type { SweepConfig } from "../sweep/config.js"
import { copyRuns, mergeStores } from "../sweep/merge.js"
import { plan } from "../sweep/plan.js"
import type { PlannedRun } from "../sweep/plannedRun.js"
import { shardOf } from "../sweep/shard.js"
import { openStore, type Store } from "../sweep/store.js"
import { partOf, partsFolder, partsOf, type SweepArray } from "./sweepArray.js"

/** What an array has done, and what is left of it. */
export interface Gathered {
  /** The runs of the sweep as far as results determine them. */
  readonly runs: readonly PlannedRun[]
  /** The identities of those that are stored. */
  readonly finished: ReadonlySet<string>
  /** The tasks that have runs to do. */
  readonly missing: readonly number[]
}

/**
 * Puts what the tasks have stored into the array's store and says what is left; no task may be under way.
 *
 * @throws InputError as `mergeStores`.
 */
export async function gather(config: SweepConfig, array: SweepArray, environment: unknown): Promise<Gathered> {
  await mergeStores(await partsOf(array), array.store, environment)
  const store = await openStore(array.store, environment)
  try {
    return await gathered(config, array.count, store)
  } finally {
    await store.close()
  }
}

/**
 * What a store has of a sweep in so many shards. Each shard's rounds go on as far as its own results do, as in the task
 * that does it.
 */
export async function gathered(config: SweepConfig, count: number, store: Store): Promise<Gathered> {
  const planned = plan(config)
  const of = shardOf(count)
  const shards = (some: readonly PlannedRun[]) => new Set(some.map(of))
  const runs = [...planned.first]
  let going = shards(runs)
  for (let round = 1; ; round++) {
    for (const shard of shards(runs.filter(({ id }) => !store.finished.has(id)))) going.delete(shard)
    const results = await store.results(runs.map(({ id }) => id))
    const added = planned.next(round, results).filter((run) => going.has(of(run)))
    if (added.length === 0) break
    runs.push(...added)
    going = shards(added)
  }
  const missing = [...shards(runs.filter(({ id }) => !store.finished.has(id)))].sort((x, y) => x - y)
  const finished = new Set(runs.map(({ id }) => id).filter((id) => store.finished.has(id)))
  return { runs, finished, missing }
}

/** Gives each of the missing tasks what the array's store has of its runs already, so that none is done again. */
export async function prepare({ runs, finished, missing }: Gathered, array: SweepArray, environment: unknown) {
  await mkdir(partsFolder(array), { recursive: true })
  const of = shardOf(array.count)
  const known = runs.filter(({ id }) => finished.has(id))
  for (const task of missing) {
    const ids = known.filter((run) => of(run) === task).map(({ id }) => id)
    if (ids.length > 0) await copyRuns(ids, array.store, partOf(array, task), environment)
  }
}
