/**
 * What a grid of learning rates says of an optimum or of an edge without a model of the curve: between which rates it
 * lies.
 */
import { mean } from "simple-statistics"
import { type GridPoint, optimalRate } from "./optimum.js"
import { deviationAt, type Spread } from "./spread.js"

/** Standard deviations that noise alone does not reach. */
export const SURE = 2

/** Rates between which something lies; 0 and Infinity where the grid does not bound it. */
export interface Bracket {
  readonly low: number
  readonly high: number
}

/** Where a curve of loss against rate has its minimum or its edge. */
export interface RatePlace extends Bracket {
  /** By interpolation of the curve; null where the place lies beyond the grid. */
  readonly rate: number | null
  /**
   * What enters a likelihood: the rate twice, or the half-line it lies on. Rates on the half-line and no others are
   * seen so, which makes the censoring ignorable.
   */
  readonly observed: Bracket
  /** The standard error of ln(rate) that the noise of the losses makes; left out where it is unknown. */
  readonly error?: number
  /** The rate by two other readings of the losses: of skewed curves, or of such as rise as another power. */
  readonly readings?: readonly [number, number]
}

/**
 * The grid with one point a rate: repeated runs are averaged, and a repetition that diverged makes the mean diverge.
 */
export function withoutRepeats(grid: readonly GridPoint[]): GridPoint[] {
  return [...repeats(grid)]
    .map(([rate, values]) => ({ rate, value: mean([...values]) }))
    .sort((x, y) => x.rate - y.rate)
}

/** How far each rate's mean loss lies above the least one; without the rates at which a run diverged. */
export function heightsOf(grid: readonly GridPoint[]): ReadonlyMap<number, number> {
  const points = withoutRepeats(grid).filter(({ value }) => Number.isFinite(value))
  const least = leastOf(points)
  return new Map(points.map(({ rate, value }) => [rate, value - least]))
}

/** The values at each rate. */
function repeats(grid: readonly GridPoint[]): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>()
  for (const { rate, value } of grid) {
    const own = found.get(rate)
    if (own === undefined) found.set(rate, [value])
    else own.push(value)
  }
  return found
}

/**
 * The optimum of a curve that falls to one minimum and rises beyond it: it lies between the neighbours of the least
 * loss, and inside the grid where the parabola through the three in ln(rate) has its minimum.
 *
 * A parabola's minimum lies between the middles of the two intervals it spans, so a least loss at the edge of the grid
 * says that the optimum lies beyond the middle of the last interval.
 *
 * Losses that repeated runs would not tell apart (within two standard deviations of the difference of their means) may
 * each be the least: the bracket reaches from the lower neighbour of the first to the upper neighbour of the last of them.
 *
 * @param noise how much losses vary over repeated runs; null if unknown.
 * A grid on which every run diverged says nothing of it.
 *
 * @throws InputError as `optimalRate`.
 */
export function optimumBracket(grid: readonly GridPoint[], noise: Spread | null): RatePlace {
  const points = withoutRepeats(grid)
  const anywhere = { low: 0, high: Number.POSITIVE_INFINITY }
  if (!points.some(({ value }) => Number.isFinite(value))) return { ...anywhere, rate: null, observed: anywhere }
  const { rate, censored } = optimalRate(points)
  const least = leastOf(points)
  const runsAt = repeats(grid)
  const runs = ({ rate }: GridPoint) => runsAt.get(rate)!.length
  const best = points.find(({ value }) => value === least)!
  const error = (point: GridPoint) => deviationAt(noise!, point.value - least) / Math.sqrt(runs(point))
  const may = (point: GridPoint) =>
    point.value - least <= (noise === null ? 0 : SURE * Math.hypot(error(best), error(point)))
  const [first, last] = [points.findIndex(may), points.findLastIndex(may)]
  const low = points[first - 1]?.rate ?? 0
  const high = points[last + 1]?.rate ?? Number.POSITIVE_INFINITY
  if (censored === null) return { low, high, rate, observed: { low: rate, high: rate } }
  const [x, y] = censored === "low" ? points : points.slice(-2)
  const middle = y === undefined ? null : Math.sqrt(x!.rate * y.rate)
  const observed = {
    low: censored === "high" && middle !== null ? middle : 0,
    high: censored === "low" && middle !== null ? middle : Number.POSITIVE_INFINITY,
  }
  return { low, high, rate: null, observed }
}

/**
 * The stability edge of a curve: the largest rate up to which no run diverged or ended with a loss above the curve's
 * least by more than the given share of it. It lies between the last rate that held and the first that did not; where
 * both losses are finite, at the rate at which a loss that rises from its least one meets the limit.
 *
 * @param minima of the curve without skew, and skewed to either side; null: the least loss seen.
 */
export function edgeBracket(
  grid: readonly GridPoint[],
  share: number,
  minima: readonly [Lowest, Lowest, Lowest] | null = null,
): RatePlace {
  const points = withoutRepeats(grid)
  const limit = worstHeld(points, share)
  const beyond = points.findIndex(({ value }, i) => !(value <= limit) && i > 0 && points[i - 1]!.value <= limit)
  const after = points.findLastIndex(({ value }) => value <= limit)
  // Losses above the limit at the low end are runs that have not learnt yet, not unstable ones.
  const last = beyond < 0 ? after : beyond - 1
  const [held, failed] = [points[last], points[last + 1]]
  const bracket = { low: held?.rate ?? 0, high: failed?.rate ?? Number.POSITIVE_INFINITY }
  if (held === undefined || failed === undefined || !Number.isFinite(failed.value))
    return { ...bracket, rate: null, observed: bracket }
  const crossing = ({ x, least }: Lowest) => {
    // Where the minimum lies beyond the last rate that held, the loss rises from there.
    const from = Math.exp(x) > held.rate ? { rate: Math.exp(x), value: least } : held
    const rate = crossingRate(from, failed, { least, limit: least + share * Math.abs(least) })
    return Math.min(Math.max(rate, held.rate), failed.rate)
  }
  if (minima === null) {
    const rate = crossingRate(held, failed, { least: leastOf(points), limit })
    return { ...bracket, rate, observed: { low: rate, high: rate } }
  }
  const [rate, ...readings] = minima.map(crossing) as [number, number, number]
  return { ...bracket, rate, observed: { low: rate, high: rate }, readings }
}

/** Where a curve is lowest: ln(rate), and the loss there. */
interface Lowest {
  readonly x: number
  readonly least: number
}

/**
 * The rate between two at which a loss that rises from its least one meets a limit: the root of the height above the
 * least is taken as linear in ln(rate), as it is of a parabola. The height itself is not, and a line through it is off
 * by another amount wherever the limit falls between the rates: an edge that moves slowly with the width then seems to
 * move by another power.
 *
 * @param power of the distance that the height grows with: 2 is a parabola's.
 */
export function crossingRate(
  held: GridPoint,
  failed: GridPoint,
  { least, limit }: { readonly least: number; readonly limit: number },
  power = 2,
): number {
  const root = (value: number) => Math.max(0, value - least) ** (1 / power)
  const part = (root(limit) - root(held.value)) / (root(failed.value) - root(held.value))
  return held.rate * (failed.rate / held.rate) ** part
}

/**
 * The standard deviation of the loss over repeated runs at one rate, pooled over curves, and its degrees of freedom;
 * null if nothing was repeated. Runs beyond the stability edge are left out: there the spread is another one.
 */
export function repeatDeviation(
  grids: readonly (readonly GridPoint[])[],
  share: number,
): { readonly deviation: number; readonly degrees: number } | null {
  let [squares, degrees] = [0, 0]
  for (const grid of grids) {
    const limit = worstHeld(withoutRepeats(grid), share)
    for (const values of repeats(grid).values()) {
      const centre = mean([...values])
      if (values.length < 2 || !(centre <= limit)) continue
      squares += values.reduce((sum, value) => sum + (value - centre) ** 2, 0)
      degrees += values.length - 1
    }
  }
  return degrees === 0 ? null : { deviation: Math.sqrt(squares / degrees), degrees }
}

function leastOf(points: readonly GridPoint[]): number {
  return points.reduce(
    (least, { value }) => (Number.isFinite(value) ? Math.min(least, value) : least),
    Number.POSITIVE_INFINITY,
  )
}

function worstHeld(points: readonly GridPoint[], share: number): number {
  const least = leastOf(points)
  return least + share * Math.abs(least)
}
