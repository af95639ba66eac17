import { Matrix, solve } from "ml-matrix"
import { uniformInt } from "pure-rand/distribution/uniformInt"
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus"
import { mean, sampleStandardDeviation, standardDeviation } from "simple-statistics"
import { InputError } from "../inputError.js"
import { studentQuantile } from "./normal.js"

/** The measurements of one quantity at one width: per seed, the mean over entries of the squared value. */
export interface WidthSample {
  readonly width: number
  readonly meanSquares: readonly number[]
  /** How much of a value its number format may round off; float64's if it is not given. */
  readonly rounding?: number
}

/** An interval [low, high] at its level. */
export interface Interval {
  readonly low: number
  readonly high: number
  readonly level: number
}

/** A log-log slope of the root mean square against width. */
export interface SlopeFit {
  readonly exponent: number
  readonly standardError: number
  readonly interval: Interval
  /** Slopes between neighbouring widths: a crossover is seen here rather than averaged away. */
  readonly local: readonly number[]
}

/** One width reduced to its log root mean square and the standard error of that. */
export interface LogPoint {
  readonly logWidth: number
  readonly logValue: number
  readonly error: number
}

/** The relative error that deterministic values count with beside noisy ones, or in a fit of several terms. */
const LEAST_ERROR = 1e-6
/** Below this relative spread over seeds a quantity is a deterministic function of the width. */
const DETERMINISTIC = 1e-12

/**
 * The log root mean square over seeds at each width, sorted, with delta-method errors.
 *
 * @throws InputError for fewer than three widths, a width given twice, or values that are negative or all zero.
 */
export function logPoints(samples: readonly WidthSample[]): LogPoint[] {
  if (new Set(samples.map(({ width }) => width)).size < 3)
    throw new InputError({
      field: "widths",
      given: samples.map(({ width }) => width),
      allowed: "at least three different widths",
      example: "256, 1024, 4096",
    })
  const twice = samples.find(({ width }, i) => samples.findIndex((other) => other.width === width) < i)
  if (twice !== undefined)
    throw new InputError({
      field: "widths",
      given: `${twice.width} twice`,
      allowed: "each width once, with all its seeds",
      example: "256, 1024, 4096",
    })
  return [...samples]
    .sort((x, y) => x.width - y.width)
    .map(({ width, meanSquares }) => {
      const negative = meanSquares.find((value) => value < 0)
      if (negative !== undefined)
        throw new InputError({
          field: `values at width ${width}`,
          given: negative,
          allowed: "mean squares, which are not negative",
          example: "0.5",
        })
      const m = meanSquares.length === 0 ? Number.NaN : mean([...meanSquares])
      if (!(m > 0 && Number.isFinite(m)))
        throw new InputError({
          field: `values at width ${width}`,
          given: m,
          allowed: "finite numbers that are not all zero",
          example: "0.5",
        })
      const spread = meanSquares.length > 1 ? sampleStandardDeviation([...meanSquares]) / m : 0
      return {
        logWidth: Math.log(width),
        logValue: Math.log(m) / 2,
        error: spread / 2 / Math.sqrt(meanSquares.length),
      }
    })
}

/** Whether the seeds agree at every width, so that the slope is to be compared exactly. */
export function isDeterministic(points: readonly LogPoint[]): boolean {
  return points.every(({ error }) => error <= DETERMINISTIC)
}

/**
 * The slope of log RMS against log width by weighted least squares (ml-matrix), weights from the seeds' variance, with
 * an interval from the bootstrap over seeds: Student's, with the bootstrap's standard error, so that any level resolves.
 *
 * @throws InputError as {@link logPoints}.
 */
export function slope(
  samples: readonly WidthSample[],
  { level = 0.95, resamples = 300, seed = 1 }: { level?: number; resamples?: number; seed?: number } = {},
): SlopeFit {
  const points = logPoints(samples)
  const weights = weightsOf(points)
  const exponent = weightedSlope(points, weights)
  const local = points.slice(1).map((p, i) => {
    const q = points[i]!
    return (p.logValue - q.logValue) / (p.logWidth - q.logWidth)
  })
  const generator = xoroshiro128plus(seed)
  const sorted = [...samples].sort((x, y) => x.width - y.width)
  const replicate = () => {
    const resampled = sorted.map(({ meanSquares }, i) => {
      let sum = 0
      for (let k = 0; k < meanSquares.length; k++) sum += meanSquares[uniformInt(generator, 0, meanSquares.length - 1)]!
      return { ...points[i]!, logValue: Math.log(sum / meanSquares.length) / 2 }
    })
    return weightedSlope(resampled, weights)
  }
  const standardError = isDeterministic(points)
    ? 0
    : standardDeviation(Array.from({ length: resamples }, replicate).filter(Number.isFinite))
  const half = standardError === 0 ? 0 : studentQuantile(level, degreesOf(samples)) * standardError
  return { exponent, standardError, interval: { low: exponent - half, high: exponent + half, level }, local }
}

/** The degrees of freedom of the errors: one less than the fewest seeds at a width. */
export function degreesOf(samples: readonly WidthSample[]): number {
  return Math.max(1, Math.min(...samples.map(({ meanSquares }) => meanSquares.length)) - 1)
}

/** Inverse variances; a width whose seeds agree by chance gets the smallest error of the others. */
export function weightsOf(points: readonly LogPoint[]): number[] {
  const positive = points.map(({ error }) => error).filter((error) => error > DETERMINISTIC)
  const least = positive.length === 0 ? LEAST_ERROR : Math.min(...positive)
  return points.map(({ error }) => 1 / Math.max(error, least) ** 2)
}

function weightedSlope(points: readonly LogPoint[], weights: readonly number[]): number {
  const design = new Matrix(
    points.map(({ logWidth }, i) => [Math.sqrt(weights[i]!), Math.sqrt(weights[i]!) * logWidth]),
  )
  const target = Matrix.columnVector(points.map(({ logValue }, i) => Math.sqrt(weights[i]!) * logValue))
  return solve(design, target).get(1, 0)
}
