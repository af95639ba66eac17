/** What a grid of learning rates says of an optimum or of an edge without a model of the curve: between which rates it lies. */
import { mean } from "simple-statistics"
import { type GridPoint, optimalRate } from "./optimum.js"

/** Rates between which something lies; 0 and Infinity where the grid does not bound it. */
export interface Bracket {
  readonly low: number
  readonly high: number
}

/** Where a curve of loss against rate has its minimum or its edge. */
export interface Place extends Bracket {
  /** Within the bracket, by interpolation of the curve; null where the place may lie beyond the grid. */
  readonly rate: number | null
}

/** The grid with one point a rate: repeated runs are averaged, and a repetition that diverged makes the mean diverge. */
export function withoutRepeats(grid: readonly GridPoint[]): GridPoint[] {
  const rates = [...new Set(grid.map(({ rate }) => rate))].sort((x, y) => x - y)
  return rates.map((rate) => ({ rate, value: mean(grid.filter((p) => p.rate === rate).map(({ value }) => value)) }))
}

/**
 * The optimum of a curve that falls to one minimum and rises beyond it: it lies between the neighbours of the least loss,
 * and inside the grid where the parabola through the three has its minimum.
 *
 * Losses that repeated runs would not tell apart (within 2√2 standard deviations of a run) may each be the least: the
 * bracket reaches from the lower neighbour of the first to the upper neighbour of the last of them.
 *
 * @param noise the standard deviation of the loss over repeated runs; 0 if unknown.
 * @throws InputError as `optimalRate`.
 */
export function optimumBracket(grid: readonly GridPoint[], noise: number): Place {
  const points = withoutRepeats(grid)
  const located = optimalRate(points)
  const least = Math.min(...points.map(({ value }) => (Number.isFinite(value) ? value : Number.POSITIVE_INFINITY)))
  const may = ({ value }: GridPoint) => value <= least + 2 * Math.SQRT2 * noise
  const [first, last] = [points.findIndex(may), points.findLastIndex(may)]
  const low = points[first - 1]?.rate ?? 0
  const high = points[last + 1]?.rate ?? Number.POSITIVE_INFINITY
  return { low, high, rate: low > 0 && Number.isFinite(high) ? located.rate : null }
}

/**
 * The stability edge of a curve: the largest rate up to which no run diverged or ended with a loss above the curve's least by
 * more than the given share of it. It lies between the last rate that held and the first that did not; where both losses are finite, at
 * the rate at which the straight line through them in ln(rate) meets the limit.
 */
export function edgeBracket(grid: readonly GridPoint[], share: number): Place {
  const points = withoutRepeats(grid)
  const limit = worstHeld(points, share)
  const beyond = points.findIndex(({ value }, i) => !(value <= limit) && i > 0 && points[i - 1]!.value <= limit)
  const after = points.findLastIndex(({ value }) => value <= limit)
  // Losses above the limit at the low end are runs that have not learnt yet, not unstable ones.
  const last = beyond < 0 ? after : beyond - 1
  const [held, failed] = [points[last], points[last + 1]]
  if (held === undefined || failed === undefined)
    return { low: held?.rate ?? 0, high: failed?.rate ?? Number.POSITIVE_INFINITY, rate: null }
  const part = Number.isFinite(failed.value) ? (limit - held.value) / (failed.value - held.value) : 1 / 2
  return { low: held.rate, high: failed.rate, rate: held.rate * (failed.rate / held.rate) ** part }
}

/**
 * The standard deviation of the loss over repeated runs at one rate, pooled over curves; null if nothing was repeated. Runs
 * beyond the stability edge are left out: there the spread is another one.
 */
export function repeatDeviation(grids: readonly (readonly GridPoint[])[], share: number): number | null {
  let [squares, degrees] = [0, 0]
  for (const grid of grids) {
    const limit = worstHeld(withoutRepeats(grid), share)
    for (const { rate, value: centre } of withoutRepeats(grid)) {
      const values = grid.filter((point) => point.rate === rate).map(({ value }) => value)
      if (values.length < 2 || !(centre <= limit)) continue
      squares += values.reduce((sum, value) => sum + (value - centre) ** 2, 0)
      degrees += values.length - 1
    }
  }
  return degrees === 0 ? null : Math.sqrt(squares / degrees)
}

function worstHeld(points: readonly GridPoint[], share: number): number {
  const least = Math.min(...points.map(({ value }) => (Number.isFinite(value) ? value : Number.POSITIVE_INFINITY)))
  return least + share * Math.abs(least)
}
