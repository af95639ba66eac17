import { type SweepOptions, sweep } from "../../src/sweep/sweep.js"
import type { Task } from "../../src/train/task.js"
import { type Budget, seedsAt } from "./budget.js"
import { type Measurements, measurementsOf } from "./measurements.js"
import type { Setting } from "./setting.js"

const SEEDS_PER_TASK = 16

/**
 * Runs the settings by the reference interpreter, the widest runs first so that threads end together; the results in
 * the settings' order.
 */
export async function measure(
  settings: readonly Setting[],
  budget: Budget,
  options: SweepOptions,
): Promise<Measurements[]> {
  const { widths, rank, steps, firstSeed, seedsPerTask = SEEDS_PER_TASK } = budget
  const chunksAt = (width: number) => {
    const all = Array.from({ length: seedsAt(budget, width) }, (_, i) => firstSeed + i)
    return all.flatMap((_, i) => (i % seedsPerTask === 0 ? [all.slice(i, i + seedsPerTask)] : []))
  }
  const tasks = settings
    .flatMap((setting, index) =>
      widths.flatMap((width) =>
        chunksAt(width).map((chunk) => ({
          index,
          width,
          task: { kind: "scheme", ...setting, config: { width, rank, steps }, seeds: chunk } satisfies Task,
        })),
      ),
    )
    .sort((x, y) => y.width - x.width)
  const results = await sweep(
    tasks.map(({ task }) => task),
    options,
  )
  return settings.map((_, index) =>
    measurementsOf(widths, (width) =>
      tasks.flatMap((task, i) => (task.index === index && task.width === width ? results[i]! : [])),
    ),
  )
}

/** How many tasks `measure` makes, for a progress bar. */
export function taskCount(settings: readonly Setting[], budget: Budget): number {
  const { widths, seedsPerTask = SEEDS_PER_TASK } = budget
  return settings.length * widths.reduce((sum, width) => sum + Math.ceil(seedsAt(budget, width) / seedsPerTask), 0)
}
