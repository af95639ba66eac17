import type { WidthSample } from "../../src/fit/slope.js"
import { type SweepOptions, sweep } from "../../src/sweep/sweep.js"
import type { Task } from "../../src/train/task.js"
import type { Setting } from "./setting.js"
import { powersOfTwo } from "./widths.js"

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

/** The usual budget, but for its seeds. Widths 2⁸ … 2¹⁴, three steps: the transient and the first step of the limit. */
export const USUAL: Omit<Budget, "seeds" | "firstSeed"> = { widths: powersOfTwo(8, 14), rank: 4, steps: 3 }

/** What was measured of one setting. */
export interface Measurements {
  /** The mean squares of one quantity after step t, by width and seed. */
  readonly samples: (quantity: string, t: number) => WidthSample[]
  /** The share of samples and seeds at the widest width whose residual changed its sign in a step before step t. */
  readonly flipped: (t: number) => number
}

const SEEDS_PER_TASK = 16

/** Runs the settings by the reference interpreter, the widest runs first so that threads end together; the results in the settings' order. */
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
  return settings.map((_, index): Measurements => {
    const runs = (width: number) =>
      tasks.flatMap((task, i) => (task.index === index && task.width === width ? results[i]! : []))
    return {
      samples: (quantity, t) =>
        widths.map((width) => ({
          width,
          meanSquares: runs(width).map(({ history }) => history[t - 1]?.meanSquares[quantity] ?? Number.NaN),
          rounding: Math.max(0, ...runs(width).map(({ rounding = 0 }) => rounding)),
        })),
      flipped: (t) => {
        const shares = runs(Math.max(...widths)).map(({ history }) =>
          Math.max(0, ...history.slice(0, t).map(({ flipped }) => flipped)),
        )
        return shares.reduce((sum, share) => sum + share, 0) / shares.length
      },
    }
  })
}

/** How many tasks `measure` makes, for a progress bar. */
export function taskCount(
  settings: readonly Setting[],
  { widths, seeds, seedsPerTask = SEEDS_PER_TASK }: Budget,
): number {
  return settings.length * widths.length * Math.ceil(seeds / seedsPerTask)
}
