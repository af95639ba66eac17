import { inverse, Matrix, solve } from "ml-matrix"
import { mean, sampleStandardDeviation } from "simple-statistics"
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
 * Student's interval.
 *
 * Few seeds give a variance that follows the mean they share, and weights made of it an interval that covers too
 * rarely; so each width's variance is moderated towards that of all widths, see {@link variancesOf}.
 *
 * @throws InputError as {@link logPoints}.
 */
export function slope(samples: readonly WidthSample[], { level = 0.95 }: { level?: number } = {}): SlopeFit {
  const points = logPoints(samples)
  const variances = variancesOf(points, degreesOf(samples))
  const [exponent, standardError] = weightedSlope(points, variances)
  const local = points.slice(1).map((p, i) => {
    const q = points[i]!
    return (p.logValue - q.logValue) / (p.logWidth - q.logWidth)
  })
  const deterministic = isDeterministic(points)
  const half = deterministic ? 0 : studentQuantile(level, degreesOf(samples)) * standardError
  const interval = { low: exponent - half, high: exponent + half, level }
  return { exponent, standardError: deterministic ? 0 : standardError, interval, local }
}

/** The degrees of freedom of the errors: one less than the fewest seeds at a width. */
export function degreesOf(samples: readonly WidthSample[]): number {
  return Math.max(1, Math.min(...samples.map(({ meanSquares }) => meanSquares.length)) - 1)
}

/** How many degrees of freedom the widths' common variance counts beside each width's own. */
const COMMON_DEGREES = 8

/**
 * The variances of the points, each moderated towards their mean as if that had been seen with {@link COMMON_DEGREES}
 * degrees (empirical Bayes: Smyth 2004); not below what deterministic values count with.
 *
 * @param degrees of each point's own variance.
 */
export function variancesOf(points: readonly LogPoint[], degrees: number): number[] {
  const common = mean(points.map(({ error }) => error ** 2))
  return points.map(({ error }) =>
    Math.max((degrees * error ** 2 + COMMON_DEGREES * common) / (degrees + COMMON_DEGREES), LEAST_ERROR ** 2),
  )
}

/** The slope and its standard error. */
function weightedSlope(points: readonly LogPoint[], variances: readonly number[]): [slope: number, error: number] {
  const weights = variances.map((variance) => 1 / Math.sqrt(variance))
  const design = new Matrix(points.map(({ logWidth }, i) => [weights[i]!, weights[i]! * logWidth]))
  const target = Matrix.columnVector(points.map(({ logValue }, i) => weights[i]! * logValue))
  const information = design.transpose().mmul(design)
  return [solve(design, target).get(1, 0), Math.sqrt(inverse(information).get(1, 1))]
}
