import type { WidthSample } from "../../src/fit/slope.js"
import type { RunResult } from "../../src/train/run.js"

/** What was measured of one setting. */
export interface Measurements {
  /** The mean squares of one quantity after step t, by width and seed. */
  readonly samples: (quantity: string, t: number) => WidthSample[]
  /** The share of samples and seeds at the widest width whose residual changed its sign in a step before step t. */
  readonly flipped: (t: number) => number
  /**
   * How far the argument of a saturating function (see `Program.saturations`) has changed after step t over where the
   * function saturates, by width: the mean square over seeds; NaN where a run does not say.
   */
  readonly saturation: (name: string, t: number) => number[]
}

/** What runs say of their setting, given by width. */
export function measurementsOf(widths: readonly number[], runs: (width: number) => readonly RunResult[]): Measurements {
  return {
    samples: (quantity, t) =>
      widths.map((width) => ({
        width,
        meanSquares: runs(width).map(({ history }) => history[t - 1]?.meanSquares[quantity] ?? Number.NaN),
        rounding: Math.max(0, ...runs(width).map(({ rounding = 0 }) => rounding)),
      })),
    saturation: (name, t) =>
      widths.map((width) => {
        const reached = runs(width).map(({ history }) => history[t - 1]?.saturations?.[name] ?? Number.NaN)
        return reached.reduce((sum, value) => sum + value, 0) / reached.length
      }),
    flipped: (t) => {
      const shares = runs(Math.max(...widths)).map(({ history }) =>
        Math.max(0, ...history.slice(0, t).map(({ flipped }) => flipped)),
      )
      return shares.reduce((sum, share) => sum + share, 0) / shares.length
    },
  }
}
