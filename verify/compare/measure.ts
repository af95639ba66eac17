import { type SweepOptions, sweep } from "../../src/sweep/sweep.js"
import type { Task } from "../../src/train/task.js"
import type { Budget } from "./budget.js"
import { type Measurements, measurementsOf } from "./measurements.js"
import type { Setting } from "./setting.js"

const SEEDS_PER_TASK = 16

/**
 * Runs the settings by the reference interpreter, the widest runs first so that threads end together; the results in
 * the settings' order.
 */
export async function measure(
  settings: readonly Setting[],
  { widths, rank, steps, seeds, firstSeed, seedsPerTask = SEEDS_PER_TASK }: Budget,
  options: SweepOptions,
): Promise<Measurements[]> {
  const all = Array.from({ length: seeds }, (_, i) => firstSeed + i)
  const chunks = all.flatMap((_, i) => (i % seedsPerTask === 0 ? [all.slice(i, i + seedsPerTask)] : []))
  const tasks = settings
    .flatMap((setting, index) =>
      widths.flatMap((width) =>
        chunks.map((chunk) => ({
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
export function taskCount(
  settings: readonly Setting[],
  { widths, seeds, seedsPerTask = SEEDS_PER_TASK }: Budget,
): number {
  return settings.length * widths.length * Math.ceil(seeds / seedsPerTask)
}
