/**
 * What a curve of loss against rate shows where noise is known: its minimum and its edge, from many points rather than
 * three.
 */
import { median } from "simple-statistics"
import {
  type Bracket,
  crossingRate,
  edgeBracket,
  heightsOf,
  optimumBracket,
  type RatePlace,
  repeatDeviation,
  SURE,
  withoutRepeats,
} from "./bracket.js"
import type { GridPoint } from "./optimum.js"
import { type CurvePoint, polynomialFit } from "./polynomial.js"
import { type Minimum, sharedShape } from "./sharedShape.js"
import { type MinimaBySkew, minimaBySkew } from "./skews.js"
import { type Spread, weightAt } from "./spread.js"

/** With so many rates with a finite loss, a curve tells its shape and the noise on it apart … */
const MANY = 6
/** … and with so many at one of several curves their shared shape is told. */
const SEVERAL = 5
/** Where noise is known, the minimum is fitted to losses up to this many standard deviations above the least … */
const HEIGHT = 16
/**
 * … and over no more than a factor of 20 in the rate on either side: farther out the shape, and where the grid ends,
 * tell on it.
 */
const REACH = Math.log(20)

/** The standard deviation of one run's loss, and its degrees of freedom. */
interface Deviation {
  readonly deviation: number
  readonly degrees: number
}

/** The noise of losses, and what tells it. */
export interface Noise extends Spread {
  /** The degrees of freedom of its deviation. */
  readonly degrees: number
  /**
   * Repeated runs; losses off smooth curves; off curves of one shape; or losses that do not fall to one minimum and
   * rise beyond it.
   */
  readonly from: "repeats" | "smoothness" | "shape" | "order"
}

/** Optimum and stability edge of a curve. */
export interface CurvePlaces {
  readonly optimum: RatePlace
  readonly edge: RatePlace
}

/** What curves that are fitted together show. */
export interface Together {
  /**
   * Of each curve the rate of least loss and the loss there; null where it has too few rates, or its grid does not hold
   * it.
   */
  readonly minima: readonly (Minimum | null)[]
  /** How far losses lie off the curves; null where there are too few to tell. */
  readonly left: Deviation | null
}

/**
 * The minima of curves, of which one at least has five rates or more, by one shape for all of them (see `sharedShape`).
 * Where noise is known it is fitted to all losses within 16 standard deviations of each least one, and a factor of 20
 * of its rate; where it is not, to the least one and up to two on either side, which then tell the noise.
 *
 * @param noise null if unknown.
 */
export function minimaTogether(grids: readonly (readonly GridPoint[])[], noise: Noise | null): Together {
  const curves = grids.map((grid) => pointsOf(grid, noise))
  const isTold = curves.some((points) => points.length >= SEVERAL)
  const windows = !isTold
    ? grids.map(() => null)
    : noise === null
      ? besideLeast(curves, orderDeviation(grids)?.deviation ?? 0)
      : curves.map((points) => nearLeast(points, noise.deviation))
  const used = windows.filter((window) => window !== null)
  if (used.length === 0) return { minima: grids.map(() => null), left: null }
  const { minima, deviation, degrees } = sharedShape(used)
  const found = [...minima]
  return {
    minima: windows.map((window) => (window === null ? null : found.shift()!)),
    left: deviation === null ? null : { deviation, degrees },
  }
}

const leastOf = (points: readonly CurvePoint[]) =>
  points.reduce((least, { value }, i) => (value < points[least]!.value ? i : least), 0)

/** The points that lie near the least one in height and in rate; null where they are fewer than three. */
function nearLeast(points: readonly CurvePoint[], noise: number): readonly CurvePoint[] | null {
  if (points.length < 3) return null
  const best = leastOf(points)
  const { x: middle, value: lowest } = points[best]!
  const above = ({ x, value }: CurvePoint) => value > lowest + HEIGHT * noise || Math.abs(x - middle) > REACH
  let [first, last] = [best, best]
  // The first loss above on either side bounds the minimum.
  while (first > 0 && (first === best || !above(points[first]!))) first--
  while (last < points.length - 1 && (last === best || !above(points[last]!))) last++
  return last - first < 2 ? null : points.slice(first, last + 1)
}

/**
 * The least point and up to two on either side; null where it has no neighbour on one. A farther point that rises more
 * than twice as steeply as the neighbours of the least ones tell, over all curves, is on a flank of another shape: it
 * does not count.
 *
 * @param noise what losses may vary by besides; 0 if unknown.
 */
function besideLeast(curves: readonly (readonly CurvePoint[])[], noise: number): (readonly CurvePoint[] | null)[] {
  const bests = curves.map((points) => {
    const best = leastOf(points)
    return best > 0 && best < points.length - 1 ? best : null
  })
  const curvatures = curves.flatMap((points, i) => {
    const best = bests[i]!
    if (best === null) return []
    const [before, least, after] = points.slice(best - 1, best + 2) as [CurvePoint, CurvePoint, CurvePoint]
    const [left, right] = [least.x - before.x, after.x - least.x]
    return [((before.value - least.value) / left + (after.value - least.value) / right) / (left + right)]
  })
  if (curvatures.length === 0) return curves.map(() => null)
  const curvature = median(curvatures)
  return curves.map((points, i) => {
    const best = bests[i]!
    if (best === null) return null
    const { x: middle, value: least } = points[best]!
    const isNear = (k: number) => {
      const point = points[k]
      if (point === undefined) return false
      return point.value - least <= STEEPEST * curvature * (point.x - middle) ** 2 + HEIGHT * noise
    }
    return points.slice(isNear(best - 2) ? best - 2 : best - 1, (isNear(best + 2) ? best + 2 : best + 1) + 1)
  })
}
/** A parabola rises by at most 1.5 times its curvature two steps of a grid from the least point. */
const STEEPEST = 2

/**
 * The optimum and the stability edge of a curve, see `optimumBracket` and `edgeBracket`. Where the curve's minimum was
 * fitted, it is the optimum; where noise is known too, its loss, and not the least one seen, is what the edge's limit
 * is counted from.
 *
 * @param noise null if unknown.
 * @param minimum the curve's by `minimaTogether`.
 * @throws InputError for a rate that is not positive, or no finite loss.
 */
export function curvePlaces(
  grid: readonly GridPoint[],
  noise: Noise | null,
  share: number,
  minimum: Minimum | null,
): CurvePlaces {
  const bracket = optimumBracket(grid, noise)
  if (minimum !== null)
    return { optimum: smoothPlace(bracket, minimum, noise), edge: edgeOf(grid, noise, share, minimum, null) }
  const minima = minimaBySkew(pointsOf(grid, null))
  const [, left, right] = minima ?? []
  const optimum =
    bracket.rate === null || left === undefined || right === undefined
      ? bracket
      : { ...bracket, readings: [Math.exp(left.x), Math.exp(right.x)] as const }
  return { optimum, edge: edgeOf(grid, noise, share, null, minima) }
}

function edgeOf(
  grid: readonly GridPoint[],
  noise: Noise | null,
  share: number,
  minimum: Minimum | null,
  minima: MinimaBySkew | null,
): RatePlace {
  if (noise !== null && minimum !== null) return noisyEdge(grid, minimum, noise, share)
  // Repetitions are averaged already, and a curve of many rates without a minimum has none above it.
  return noise === null || noise.from === "repeats" || noise.from === "smoothness"
    ? edgeBracket(grid, share, minima)
    : orderedEdge(grid, noise, share)
}

function smoothPlace(bracket: Bracket, { x, sensitivity }: Minimum, noise: Noise | null): RatePlace {
  const rate = Math.exp(x)
  return {
    low: Math.min(bracket.low, rate),
    high: Math.max(bracket.high, rate),
    rate,
    observed: { low: rate, high: rate },
    ...(noise === null || noise.from === "order" ? {} : { error: noise.deviation * sensitivity }),
  }
}

/** The edge of a curve whose minimum was not fitted: counted from the least loss seen. */
function orderedEdge(grid: readonly GridPoint[], noise: Spread, share: number): RatePlace {
  const points = pointsOf(grid, noise)
  if (points.length === 0) return edgeBracket(grid, share)
  const { x, value } = points.reduce((least, point) => (point.value < least.value ? point : least))
  return noisyEdge(grid, { x, least: value }, noise, share)
}

/** The finite losses of a curve: where noise is larger than at the least one, a loss counts for less. */
function pointsOf(grid: readonly GridPoint[], noise: Spread | null): CurvePoint[] {
  const counts = countsOf(grid)
  const heights = heightsOf(grid)
  return withoutRepeats(grid)
    .filter(({ value }) => Number.isFinite(value))
    .map(({ rate, value }) => ({
      x: Math.log(rate),
      value,
      weight: counts.get(rate)! * (noise === null ? 1 : weightAt(noise, heights.get(rate)!)),
    }))
}

/** How many runs each rate has. */
function countsOf(grid: readonly GridPoint[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const { rate } of grid) counts.set(rate, (counts.get(rate) ?? 0) + 1)
  return counts
}

/**
 * The standard deviation of a run's loss about a smooth curve: what cubics through the losses within a factor of NEAR
 * of each least one leave, pooled over curves; null where rates are too far apart for that. A coarser grid cannot tell
 * the shape of a curve from noise.
 */
function smoothDeviation(grids: readonly (readonly GridPoint[])[]): Deviation | null {
  let [squares, degrees] = [0, 0]
  for (const grid of grids) {
    const points = pointsOf(grid, null)
    if (points.length < MANY) continue
    const { x } = points.reduce((least, point) => (point.value < least.value ? point : least))
    const near = points.filter((point) => Math.abs(point.x - x) <= Math.log(NEAR))
    if (near.length < SHAPE_DEGREE + 2) continue
    squares += polynomialFit(near, SHAPE_DEGREE).residual
    degrees += near.length - SHAPE_DEGREE - 1
  }
  return degrees < LEAST_DEGREES ? null : { deviation: Math.sqrt(squares / degrees), degrees }
}
/** Over a factor of five in the rate a cubic is near enough to a loss curve. */
const NEAR = 5
const SHAPE_DEGREE = 3
/** Fewer degrees of freedom tell no standard deviation. */
const LEAST_DEGREES = 4

/**
 * The standard deviation of a run's loss about curves that fall to one minimum and rise beyond it, whatever their
 * shape: what unimodal regression leaves; null where every curve does. It tells noise only where the curve is as flat
 * as the noise is large, and there it matters.
 */
function orderDeviation(grids: readonly (readonly GridPoint[])[]): Deviation | null {
  let [squares, degrees] = [0, 0]
  for (const grid of grids) {
    const values = pointsOf(grid, null)
    const best = values.reduce((least, { value }, i) => (value < values[least]!.value ? i : least), 0)
    for (const side of [values.slice(best), values.slice(0, best + 1).reverse()]) {
      const risen = isotonic(side)
      squares += risen.reduce((sum, { value }, i) => sum + side[i]!.weight * (value - side[i]!.value) ** 2, 0)
      degrees += risen.filter((block, i) => i > 0 && block.value === risen[i - 1]!.value).length
    }
  }
  return degrees === 0 ? null : { deviation: Math.sqrt(squares / degrees), degrees }
}

/** The noise of losses that repeated runs tell, or else the smoothness of curves; null where neither does. */
export function toldNoise(grids: readonly (readonly GridPoint[])[], share: number): Noise | null {
  const repeated = repeatDeviation(grids, share)
  if (repeated !== null) return { ...repeated, growth: 0, from: "repeats" }
  const smooth = smoothDeviation(grids)
  if (smooth !== null) return { ...smooth, growth: 0, from: "smoothness" }
  return null
}

/** The noise of losses that curves of one shape tell, or else their order; null where neither does. */
export function leftNoise(together: readonly Together[], grids: readonly (readonly GridPoint[])[]): Noise | null {
  const told = together.flatMap(({ left }) => (left === null ? [] : [left]))
  const degrees = told.reduce((sum, left) => sum + left.degrees, 0)
  const squares = told.reduce((sum, left) => sum + left.degrees * left.deviation ** 2, 0)
  if (degrees > 0) return { deviation: Math.sqrt(squares / degrees), degrees, growth: 0, from: "shape" }
  const ordered = orderDeviation(grids)
  return ordered === null ? null : { ...ordered, growth: 0, from: "order" }
}

/**
 * The edge above the optimum: losses that rise beyond it, made to do so without a step down (isotonic regression),
 * cross the limit. It lies between the last rate that noise alone could not have lifted above the limit and the first
 * that noise alone could not have.
 */
function noisyEdge(
  grid: readonly GridPoint[],
  { x, least }: { x: number; least: number },
  noise: Spread,
  share: number,
): RatePlace {
  const points = withoutRepeats(grid)
  const counts = countsOf(grid)
  const diverged = points.find(({ value }) => !Number.isFinite(value))?.rate ?? Number.POSITIVE_INFINITY
  const optimum = Math.min(Math.exp(x), diverged)
  const limit = least + share * Math.abs(least)
  const beyond = points.filter(({ rate }) => rate >= optimum && rate < diverged)
  const weightOf = ({ rate, value }: GridPoint) => counts.get(rate)! * weightAt(noise, value - least)
  const risen = isotonic(beyond.map((point) => ({ value: point.value, weight: weightOf(point) })))
  const start = { rate: optimum, value: least, error: 0 }
  const rising = [
    ...(optimum < diverged ? [start] : []),
    ...beyond.map(({ rate }, i) => ({
      rate,
      value: risen[i]!.value,
      error: noise.deviation / Math.sqrt(risen[i]!.weight),
    })),
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
  const rate = crossingRate(held, failed, { least, limit })
  const [flatter, steeper] = POWERS.map((power) => crossingRate(held, failed, { least, limit }, power))
  return { ...bracket, rate, observed: { low: rate, high: rate }, readings: [flatter!, steeper!] }
}

/** Beyond its minimum a curve that is no parabola rises as a power of the distance between these. */
const POWERS = [1.6, 2.5]

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
