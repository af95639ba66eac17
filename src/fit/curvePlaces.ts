/** What a curve of loss against rate shows where noise is known: its minimum and its edge, from many points rather than three. */
import {
  type Bracket,
  edgeBracket,
  optimumBracket,
  type RatePlace,
  repeatDeviation,
  withoutRepeats,
} from "./bracket.js"
import type { GridPoint } from "./optimum.js"
import { type CurvePoint, minimumOf, polynomialFit, valueAt } from "./polynomial.js"

/** From so many rates with a finite loss on, the shape of a curve and the noise on it can be told apart. */
const MANY = 6
/** The minimum is fitted to losses up to this many standard deviations of the noise above the least. */
const HEIGHT = 16
/** The standard deviation of one run's loss, and what tells it. */
export interface Noise {
  readonly deviation: number
  /** Repeated runs; losses off a smooth curve; or losses that do not fall to one minimum and rise beyond it. */
  readonly from: "repeats" | "smoothness" | "order"
}

/** … and over no more than a factor of 20 in the rate on either side: farther out the shape, and where the grid ends, tell on it. */
const REACH = Math.log(20)

/** Optimum and stability edge of a curve. */
export interface CurvePlaces {
  readonly optimum: RatePlace
  readonly edge: RatePlace
}

/**
 * The optimum and the stability edge of a curve, see `optimumBracket` and `edgeBracket`. With six rates or more and noise, the
 * optimum is the minimum of a polynomial through all losses that lie within 16 standard deviations of the least, and within a factor of 20 of its rate: of degree three,
 * or two for fewer than six of them. Its value, and not the least loss seen, is what the edge's limit is counted from.
 *
 * @param noise null if unknown.
 * @throws InputError for a rate that is not positive, or no finite loss.
 */
export function curvePlaces(grid: readonly GridPoint[], noise: Noise | null, share: number): CurvePlaces {
  const bracket = optimumBracket(grid, noise?.deviation ?? 0)
  if (noise === null) return { optimum: bracket, edge: edgeBracket(grid, share) }
  const points = pointsOf(grid)
  if (noise.from === "order") return { optimum: bracket, edge: orderedEdge(grid, points, noise.deviation, share) }
  const smooth = smoothMinimum(points, noise.deviation)
  if (smooth === null) return { optimum: bracket, edge: edgeBracket(grid, share) }
  const rate = Math.exp(smooth.x)
  const optimum = {
    low: Math.min(bracket.low, rate),
    high: Math.max(bracket.high, rate),
    rate,
    observed: { low: rate, high: rate },
  }
  return { optimum, edge: noisyEdge(grid, smooth, noise.deviation, share) }
}

/** The edge where rates are too far apart for a smooth curve: counted from the least loss seen. */
function orderedEdge(
  grid: readonly GridPoint[],
  points: readonly CurvePoint[],
  noise: number,
  share: number,
): RatePlace {
  if (points.length === 0) return edgeBracket(grid, share)
  const { x, value } = points.reduce((least, point) => (point.value < least.value ? point : least))
  return noisyEdge(grid, { x, least: value }, noise, share)
}

function pointsOf(grid: readonly GridPoint[]): CurvePoint[] {
  const counts = new Map<number, number>()
  for (const { rate } of grid) counts.set(rate, (counts.get(rate) ?? 0) + 1)
  return withoutRepeats(grid)
    .filter(({ value }) => Number.isFinite(value))
    .map(({ rate, value }) => ({ x: Math.log(rate), value, runs: counts.get(rate)! }))
}

/** The minimum of a curve in ln(rate), smoothed; null where there are too few points, or none inside them. */
function smoothMinimum(points: readonly CurvePoint[], noise: number): { x: number; least: number } | null {
  if (points.length < MANY) return null
  const best = points.reduce((least, { value }, i) => (value < points[least]!.value ? i : least), 0)
  const { x: middle, value: lowest } = points[best]!
  const above = ({ x, value }: CurvePoint) => value > lowest + HEIGHT * noise || Math.abs(x - middle) > REACH
  let [first, last] = [best, best]
  // The first loss above on either side bounds the minimum.
  while (first > 0 && (first === best || !above(points[first]!))) first--
  while (last < points.length - 1 && (last === best || !above(points[last]!))) last++
  const window = points.slice(first, last + 1)
  for (const degree of window.length >= MANY ? [3, 2] : [2]) {
    if (window.length <= degree) continue
    const fit = polynomialFit(window, degree)
    const x = minimumOf(fit)
    if (x !== null && x > window[0]!.x && x < window.at(-1)!.x) return { x, least: valueAt(fit, x) }
  }
  return null
}

/**
 * The standard deviation of a run's loss about a smooth curve: what cubics through the losses within a factor of NEAR of each least one
 * leave, pooled over curves; null where rates are too far apart for that. A coarser grid cannot tell the shape of a curve from noise.
 */
function smoothDeviation(grids: readonly (readonly GridPoint[])[]): number | null {
  let [squares, degrees] = [0, 0]
  for (const grid of grids) {
    const points = pointsOf(grid)
    if (points.length < MANY) continue
    const { x } = points.reduce((least, point) => (point.value < least.value ? point : least))
    const near = points.filter((point) => Math.abs(point.x - x) <= Math.log(NEAR))
    if (near.length < SHAPE_DEGREE + 2) continue
    squares += polynomialFit(near, SHAPE_DEGREE).residual
    degrees += near.length - SHAPE_DEGREE - 1
  }
  return degrees < LEAST_DEGREES ? null : Math.sqrt(squares / degrees)
}
/** Over a factor of five in the rate a cubic is near enough to a loss curve. */
const NEAR = 5
const SHAPE_DEGREE = 3
/** Fewer degrees of freedom tell no standard deviation. */
const LEAST_DEGREES = 4

/**
 * The standard deviation of a run's loss about curves that fall to one minimum and rise beyond it, whatever their shape: what unimodal
 * regression leaves; null where every curve does. It tells noise only where the curve is as flat as the noise is large, and there it matters.
 */
function orderDeviation(grids: readonly (readonly GridPoint[])[]): number | null {
  let [squares, degrees] = [0, 0]
  for (const grid of grids) {
    const values = pointsOf(grid).map(({ value, runs }) => ({ value, weight: runs }))
    const best = values.reduce((least, { value }, i) => (value < values[least]!.value ? i : least), 0)
    for (const side of [values.slice(best), values.slice(0, best + 1).reverse()]) {
      const risen = isotonic(side)
      squares += risen.reduce((sum, { value }, i) => sum + side[i]!.weight * (value - side[i]!.value) ** 2, 0)
      degrees += risen.filter((block, i) => i > 0 && block.value === risen[i - 1]!.value).length
    }
  }
  return degrees === 0 ? null : Math.sqrt(squares / degrees)
}

/** The noise of losses: told by repeated runs, else by smoothness, else by order; null where none of them tells it. */
export function noiseOf(grids: readonly (readonly GridPoint[])[], share: number): Noise | null {
  const repeated = repeatDeviation(grids, share)
  if (repeated !== null) return { deviation: repeated, from: "repeats" }
  const smooth = smoothDeviation(grids)
  if (smooth !== null) return { deviation: smooth, from: "smoothness" }
  const ordered = orderDeviation(grids)
  return ordered === null ? null : { deviation: ordered, from: "order" }
}

/**
 * The edge above the optimum: losses that rise beyond it, made to do so without a step down (isotonic regression), cross the limit. It lies
 * between the last rate that noise alone could not have lifted above the limit and the first that noise alone could not have.
 */
function noisyEdge(
  grid: readonly GridPoint[],
  { x, least }: { x: number; least: number },
  noise: number,
  share: number,
): RatePlace {
  const points = withoutRepeats(grid)
  const counts = new Map<number, number>()
  for (const { rate } of grid) counts.set(rate, (counts.get(rate) ?? 0) + 1)
  const diverged = points.find(({ value }) => !Number.isFinite(value))?.rate ?? Number.POSITIVE_INFINITY
  const optimum = Math.min(Math.exp(x), diverged)
  const limit = least + share * Math.abs(least)
  const beyond = points.filter(({ rate }) => rate >= optimum && rate < diverged)
  const risen = isotonic(beyond.map(({ rate, value }) => ({ value, weight: counts.get(rate)! })))
  const start = { rate: optimum, value: least, error: 0 }
  const rising = [
    ...(optimum < diverged ? [start] : []),
    ...beyond.map(({ rate }, i) => ({ rate, value: risen[i]!.value, error: noise / Math.sqrt(risen[i]!.weight) })),
    ...(Number.isFinite(diverged) ? [{ rate: diverged, value: Number.POSITIVE_INFINITY, error: 0 }] : []),
  ]
  const crossing = (sign: -1 | 0 | 1): Bracket => {
    const at = rising.findIndex(({ value, error }) => value + sign * SURE * error > limit)
    if (at < 0) return { low: rising.at(-1)?.rate ?? 0, high: Number.POSITIVE_INFINITY }
    const before = at > 0 ? rising[at - 1]!.rate : (points.findLast(({ rate }) => rate < rising[at]!.rate)?.rate ?? 0)
    return { low: before, high: rising[at]!.rate }
  }
  const { low, high } = crossing(0)
  const bracket = { low: Math.min(low, crossing(1).low), high: Math.max(high, crossing(-1).high) }
  const [held, failed] = [rising.find(({ rate }) => rate === low), rising.find(({ rate }) => rate === high)]
  if (held === undefined || failed === undefined || !Number.isFinite(failed.value))
    return { ...bracket, rate: null, observed: { low, high } }
  const rate = low * (high / low) ** ((limit - held.value) / (failed.value - held.value))
  return { ...bracket, rate, observed: { low: rate, high: rate } }
}
/** Standard deviations that noise alone does not reach. */
const SURE = 2

/** Pools neighbours that fall (Ayer et al. 1955): means that never fall, and the runs behind each. */
function isotonic(values: readonly { value: number; weight: number }[]): { value: number; weight: number }[] {
  const blocks: { value: number; weight: number; count: number }[] = []
  for (const { value, weight } of values) {
    let block = { value, weight, count: 1 }
    while (blocks.length > 0 && blocks.at(-1)!.value > block.value) {
      const other = blocks.pop()!
      const sum = other.weight + block.weight
      block = {
        value: (other.value * other.weight + block.value * block.weight) / sum,
        weight: sum,
        count: other.count + block.count,
      }
    }
    blocks.push(block)
  }
  return blocks.flatMap(({ value, weight, count }) => Array.from({ length: count }, () => ({ value, weight })))
}
