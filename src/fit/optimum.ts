import { Matrix, solve } from "ml-matrix"
import { mean, sampleStandardDeviation } from "simple-statistics"
import { InputError } from "../inputError.js"
import { studentQuantile } from "./normal.js"
import type { Interval } from "./slope.js"

/** One run of a learning-rate grid: a rate > 0 and what was measured at it; NaN or Infinity if it diverged. */
export interface GridPoint {
  readonly rate: number
  readonly value: number
}

/** A rate found on a grid; censored if it may lie beyond the grid's lower or upper edge. */
export interface Located {
  readonly rate: number
  readonly censored: "low" | "high" | null
}

/**
 * The rate of least loss on a log grid, refined by the parabola through the minimum and its neighbours.
 *
 * Diverged runs count as worst. A minimum on the edge of the grid is returned as it is, flagged censored.
 *
 * @throws InputError for an empty grid, a rate that is not positive, or a grid on which every run diverged.
 */
export function optimalRate(grid: readonly GridPoint[]): Located {
  const sorted = sortedGrid(grid)
  const losses = sorted.map(({ value }) => (Number.isFinite(value) ? value : Number.POSITIVE_INFINITY))
  const best = losses.indexOf(losses.reduce((x, y) => Math.min(x, y)))
  if (!Number.isFinite(losses[best]!))
    throw new InputError({
      field: "loss",
      given: losses,
      allowed: "a finite loss at one rate at least",
      example: "0.1",
    })
  const { rate } = sorted[best]!
  if (best === 0) return { rate, censored: "low" }
  if (best === sorted.length - 1) return { rate, censored: "high" }
  if (!Number.isFinite(losses[best + 1]!)) return { rate, censored: null }
  const x = sorted.slice(best - 1, best + 2).map((point) => Math.log(point.rate))
  const y = losses.slice(best - 1, best + 2).map((loss) => loss - losses[best]!)
  const [left, right] = [x[1]! - x[0]!, x[2]! - x[1]!]
  const denominator = right * y[0]! + left * y[2]!
  const shift = denominator > 0 ? (right ** 2 * y[0]! - left ** 2 * y[2]!) / (2 * denominator) : 0
  return { rate: Math.exp(x[1]! + shift), censored: null }
}

/**
 * The largest rate at which a size stays within the limit: the first crossing on the grid, log-log interpolated.
 *
 * A diverged run is beyond every limit. Censored if the first rate is beyond the limit or none is.
 *
 * @throws InputError for an empty grid or a rate that is not positive.
 */
export function thresholdRate(grid: readonly GridPoint[], limit: number): Located {
  const sorted = sortedGrid(grid)
  const bracket = thresholdBracket(sorted, limit)
  if (bracket === null)
    return sorted[0]!.value <= limit
      ? { rate: sorted.at(-1)!.rate, censored: "high" }
      : { rate: sorted[0]!.rate, censored: "low" }
  const { below, above } = bracket
  if (!Number.isFinite(above.value) || below.value <= 0)
    return { rate: Math.sqrt(below.rate * above.rate), censored: null }
  const part = Math.log(limit / below.value) / Math.log(above.value / below.value)
  return { rate: below.rate * (above.rate / below.rate) ** part, censored: null }
}

/**
 * The points on either side of the first crossing of the limit; null where the grid has none.
 * @throws InputError as
 * `thresholdRate`.
 */
export function thresholdBracket(
  grid: readonly GridPoint[],
  limit: number,
): { readonly below: GridPoint; readonly above: GridPoint } | null {
  const sorted = sortedGrid(grid)
  const beyond = sorted.findIndex(({ value }) => !(value <= limit))
  return beyond <= 0 ? null : { below: sorted[beyond - 1]!, above: sorted[beyond]! }
}

/** One seed's rate at one width. */
export interface LocatedAtWidth extends Located {
  readonly width: number
  readonly seed: number
}

/** A rate against width over seeds: per width the geometric mean, and the slope, each with a Student-t interval. */
export interface RateFit {
  readonly widths: readonly {
    readonly width: number
    readonly rate: number
    readonly low: number
    readonly high: number
    /** How many of the seeds' rates are censored; such a width does not enter the slope. */
    readonly censored: number
  }[]
  /** null if fewer than three widths are uncensored. */
  readonly slope: { readonly exponent: number; readonly interval: Interval } | null
}

/**
 * The exponent of a rate in the width. Each seed gives a slope of its own over the uncensored widths (seeds share data
 * across widths, so they, not the runs, are the independent units); the interval is Student's over seeds.
 */
export function rateAgainstWidth(located: readonly LocatedAtWidth[]): RateFit {
  const widths = [...new Set(located.map(({ width }) => width))].sort((x, y) => x - y)
  const perWidth = widths.map((width) => {
    const here = located.filter((point) => point.width === width)
    const { centre, half } = student(here.map(({ rate }) => Math.log(rate)))
    const censored = here.filter((point) => point.censored !== null).length
    return { width, rate: Math.exp(centre), low: Math.exp(centre - half), high: Math.exp(centre + half), censored }
  })
  const usable = new Set(perWidth.filter(({ censored }) => censored === 0).map(({ width }) => width))
  if (usable.size < 3) return { widths: perWidth, slope: null }
  const seeds = [...new Set(located.map(({ seed }) => seed))]
  const slopes = seeds.map((seed) => {
    const points = located.filter((point) => point.seed === seed && usable.has(point.width))
    const design = new Matrix(points.map(({ width }) => [1, Math.log(width)]))
    return solve(design, Matrix.columnVector(points.map(({ rate }) => Math.log(rate)))).get(1, 0)
  })
  const { centre, half } = student(slopes)
  return {
    widths: perWidth,
    slope: { exponent: centre, interval: { low: centre - half, high: centre + half, level: 0.95 } },
  }
}

function student(values: readonly number[]): { centre: number; half: number } {
  const centre = mean([...values])
  if (values.length < 2) return { centre, half: Number.POSITIVE_INFINITY }
  const quantile = studentQuantile(0.95, values.length - 1)
  return { centre, half: (quantile * sampleStandardDeviation([...values])) / Math.sqrt(values.length) }
}

function sortedGrid(grid: readonly GridPoint[]): GridPoint[] {
  const bad = grid.find(({ rate }) => !(rate > 0 && Number.isFinite(rate)))
  if (grid.length === 0 || bad !== undefined)
    throw new InputError({
      field: "rate",
      given: bad?.rate ?? [],
      allowed: "rates > 0, one at least",
      example: "1e-3",
    })
  return [...grid].sort((x, y) => x.rate - y.rate)
}
