import { linearRegression } from "simple-statistics"

/** The largest entry of a tensor at one width. */
export interface Extreme {
  readonly width: number
  readonly largest: number
}

/** How a largest entry grows with the width n. */
export interface ExtremeGrowth {
  /** A n^e, or A n^e √(2 ln n): the largest of n Gaussian entries of size n^e has that factor. */
  readonly model: "n^e" | "n^e sqrt(2 ln n)"
  readonly exponent: number
  /** Root mean square of the fit's residuals in ln(largest). */
  readonly residual: number
  /** The width at which the fit reaches a size; infinite if it does not below 2^64. */
  readonly widthAt: (size: number) => number
}

/** Beyond this width nothing is predicted. */
const MOST_WIDTH = 2 ** 64

/**
 * Both models fitted to the largest entries by least squares in logarithms, the better one first; none where an entry
 * is zero or fewer than three widths are given.
 */
export function growths(extremes: readonly Extreme[]): ExtremeGrowth[] {
  if (new Set(extremes.map(({ width }) => width)).size < 3 || extremes.some(({ largest }) => !(largest > 0))) return []
  const factors = { "n^e": () => 0, "n^e sqrt(2 ln n)": (width: number) => Math.log(2 * Math.log(width)) / 2 } as const
  const models = Object.keys(factors) as ExtremeGrowth["model"][]
  return models
    .map((model): ExtremeGrowth => {
      const factor = factors[model]
      const points = extremes.map(({ width, largest }) => [Math.log(width), Math.log(largest) - factor(width)])
      const { m, b } = linearRegression(points)
      const value = (logWidth: number) => b + m * logWidth + factor(Math.exp(logWidth))
      const squares = points.map(([x, y]) => (y! - b - m * x!) ** 2)
      return {
        model,
        exponent: m,
        residual: Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length),
        widthAt: (size) => crossing(value, Math.log(size)),
      }
    })
    .sort((x, y) => x.residual - y.residual)
}

/** The width from which on the value is at least the target, by bisection from width 2. */
function crossing(value: (logWidth: number) => number, target: number): number {
  let [low, high] = [Math.log(2), Math.log(MOST_WIDTH)]
  if (value(high) < target) return Number.POSITIVE_INFINITY
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2
    if (value(middle) < target) low = middle
    else high = middle
  }
  return Math.exp(high)
}
