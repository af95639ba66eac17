import type { SweepConfig } from "./config.js"
import { fineTuneSearch } from "./fineTune.js"
import type { PlannedRun } from "./plannedRun.js"
import { firstRuns, mostLater, nextRuns, sizes } from "./rateSearch.js"
import { inShard, type Shard } from "./shard.js"
import type { Store } from "./store.js"
import { finish, type SweepOptions } from "./sweep.js"
import { studentSearch } from "./teacherStudent.js"
import { theoryRuns } from "./theory.js"

/** The runs of a configuration; those of later rounds depend on the results of earlier ones. */
export interface Plan {
  /** The runs known beforehand, each once. */
  readonly first: readonly PlannedRun[]
  /** A run of each size that the first ones or later ones have. */
  readonly sizes: readonly PlannedRun[]
  /** How many runs the rounds add at most. */
  readonly later: number
  /** The runs of round 1, 2, … given the results of the rounds before; none after the last round. */
  next(round: number, results: ReadonlyMap<string, unknown>): PlannedRun[]
}

/**
 * The plan of a configuration, or of one shard of it.
 *
 * @throws InputError naming a field whose value cannot be run, with file and line where the configuration has them.
 */
export function plan(config: SweepConfig, shard: Shard = { index: 1, count: 1 }): Plan {
  try {
    return planned(config, shard)
  } catch (error) {
    throw config.placed?.(error) ?? error
  }
}

function planned(config: SweepConfig, shard: Shard): Plan {
  const own = (runs: readonly PlannedRun[]) =>
    [...new Map(runs.map((run) => [run.id, run])).values()].filter(inShard(shard))
  if (config.experiment === "theory") {
    const first = own(theoryRuns(config))
    return { first, sizes: first, later: 0, next: () => [] }
  }
  const search = config.experiment === "finetune" ? fineTuneSearch(config) : studentSearch(config)
  const first = own(firstRuns(search))
  const later = mostLater(search, first)
  return {
    first,
    sizes: later === 0 ? first : own(sizes(search)),
    later,
    next: (round, results) => own(nextRuns(search, round, results)),
  }
}

/** The plan's runs as far as the store's results determine them. */
export async function plannedSoFar({ first, next }: Plan, store: Store): Promise<PlannedRun[]> {
  const runs = [...first]
  for (let round = 1; runs.every(({ id }) => store.finished.has(id)); round++) {
    const added = next(round, await store.results(runs.map(({ id }) => id)))
    if (added.length === 0) break
    runs.push(...added)
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
  const runs = [...planned.first]
  for (let round = 1; ; round++) {
    await finish(runs, options, told)
    const added = planned.next(round, await options.store.results(runs.map(({ id }) => id)))
    if (added.length === 0) return runs
    runs.push(...added)
  }
}
