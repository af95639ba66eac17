import type { WidthSample } from "../../src/fit/slope.js"
import type { RunResult } from "../../src/train/run.js"

/** What was measured of one setting. */
export interface Measurements {
  /** The mean squares of one quantity after step t, by width and seed. */
  readonly samples: (quantity: string, t: number) => WidthSample[]
  /** The share of samples and seeds at the widest width whose residual changed its sign in a step before step t. */
  readonly flipped: (t: number) => number
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
    flipped: (t) => {
      const shares = runs(Math.max(...widths)).map(({ history }) =>
        Math.max(0, ...history.slice(0, t).map(({ flipped }) => flipped)),
      )
      return shares.reduce((sum, share) => sum + share, 0) / shares.length
    },
  }
}
