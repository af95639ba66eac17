import type { SweepConfig } from "./config.js"
import type { PlannedRun } from "./plannedRun.js"
import { inShard, type Shard } from "./shard.js"
import type { Store } from "./store.js"
import { finish, type SweepOptions } from "./sweep.js"
import { firstRuns, refinedRuns } from "./teacherStudent.js"
import { theoryRuns } from "./theory.js"

/** The runs of a configuration; those of later rounds depend on the results of earlier ones. */
export interface Plan {
  /** The runs known beforehand, each once. */
  readonly first: readonly PlannedRun[]
  readonly rounds: number
  /** How many runs the rounds add at most: two a round for each minimum. */
  readonly refined: number
  /** The runs of round 1, 2, … given the results of the rounds before. */
  next(round: number, results: ReadonlyMap<string, unknown>): PlannedRun[]
}

/** The plan of a configuration, or of one shard of it. @throws InputError naming a field whose value cannot be run. */
export function plan(config: SweepConfig, shard: Shard = { index: 1, count: 1 }): Plan {
  const own = (runs: readonly PlannedRun[]) =>
    [...new Map(runs.map((run) => [run.id, run])).values()].filter(inShard(shard))
  if (config.experiment === "theory") return { first: own(theoryRuns(config)), rounds: 0, refined: 0, next: () => [] }
  const first = own(firstRuns(config))
  const rounds = Array.isArray(config.rates) ? 0 : config.rates.refine
  const refined = 2 * rounds * new Set(first.map(({ shardKey }) => shardKey)).size
  return { first, rounds, refined, next: (round, results) => own(refinedRuns(config, round, results)) }
}

/** The plan's runs as far as the store's results determine them. */
export async function plannedSoFar({ first, rounds, next }: Plan, store: Store): Promise<PlannedRun[]> {
  const runs = [...first]
  for (let round = 1; round <= rounds; round++) {
    if (!runs.every(({ id }) => store.finished.has(id))) break
    runs.push(...next(round, await store.results(runs.map(({ id }) => id))))
  }
  return runs
}

/**
 * Does what the store does not have of a plan.
 *
 * @param told each run as soon as it is stored.
 * @returns all runs of the plan, in its order.
 * @throws the first failure, or the signal's reason if it aborts; what was finished is stored.
 */
export async function runPlan(
  planned: Plan,
  options: SweepOptions,
  told: (run: PlannedRun) => void = () => {},
): Promise<PlannedRun[]> {
  for (;;) {
    const runs = await plannedSoFar(planned, options.store)
    if (runs.every(({ id }) => options.store.finished.has(id))) return runs
    await finish(runs, options, told)
  }
}
