import type { WidthSample } from "../src/fit/slope.js"
import type { SchemeDefinition } from "../src/scheme/scheme.js"
import { type SweepOptions, sweep } from "../src/sweep/sweep.js"
import type { Task } from "../src/train/task.js"

/** A scheme at one point of its symbols. */
export interface Setting {
  readonly definition: SchemeDefinition
  readonly values: Readonly<Record<string, string>>
}

/** How a setting is measured. */
export interface Budget {
  readonly widths: readonly number[]
  readonly rank: number
  readonly steps: number
  readonly seeds: number
  /** The first seed; disjoint ranges are independent measurements. */
  readonly firstSeed: number
  /** How many seeds travel to a thread together; default 16. */
  readonly seedsPerTask?: number
}

/** The mean squares of one quantity after step t, by width and seed. */
export type Measurements = (quantity: string, t: number) => WidthSample[]

const SEEDS_PER_TASK = 16

/** Runs the settings by the reference interpreter; the results in the settings' order. */
export async function measure(
  settings: readonly Setting[],
  { widths, rank, steps, seeds, firstSeed, seedsPerTask = SEEDS_PER_TASK }: Budget,
  options: SweepOptions,
): Promise<Measurements[]> {
  const all = Array.from({ length: seeds }, (_, i) => firstSeed + i)
  const chunks = all.flatMap((_, i) => (i % seedsPerTask === 0 ? [all.slice(i, i + seedsPerTask)] : []))
  const tasks = settings.flatMap((setting, index) =>
    widths.flatMap((width) =>
      chunks.map((chunk) => ({
        index,
        width,
        task: { kind: "scheme", ...setting, config: { width, rank, steps }, seeds: chunk } satisfies Task,
      })),
    ),
  )
  const results = await sweep(
    tasks.map(({ task }) => task),
    options,
  )
  return settings.map(
    (_, index) => (quantity, t) =>
      widths.map((width) => ({
        width,
        meanSquares: tasks.flatMap((task, i) =>
          task.index === index && task.width === width
            ? results[i]!.map(({ history }) => history[t - 1]?.meanSquares[quantity] ?? Number.NaN)
            : [],
        ),
      })),
  )
}

/** How many tasks `measure` makes, for a progress bar. */
export function taskCount(
  settings: readonly Setting[],
  { widths, seeds, seedsPerTask = SEEDS_PER_TASK }: Budget,
): number {
  return settings.length * widths.length * Math.ceil(seeds / seedsPerTask)
}
