import { leastSquares, type PowerColumn } from "./amplitudes.js"
import { studentQuantile } from "./normal.js"
import { boundary, minimum } from "./search.js"
import { degreesOf, type Interval, type LogPoint, logPoints, variancesOf, type WidthSample } from "./slope.js"

/** The leading exponent of a sum of powers whose other exponents are known. */
export interface LeadingFit {
  readonly exponent: number
  readonly interval: Interval
  /** Whether the terms add as they are (coherent) or as squares (quadrature), whichever fits better. */
  readonly model: "coherent" | "quadrature"
  /** χ² of the fit and its degrees of freedom. */
  readonly chiSquare: number
  readonly degrees: number
}

/** What is derived beside the leading term. */
export interface OtherTerms {
  /** Exponents of the other terms, largest first. */
  readonly others: readonly number[]
  /** Gaps > 0 of corrections a n^(e − gap) of either sign, relative to the leading term. */
  readonly corrections: readonly number[]
  /** How the terms add; by default either as they are or as squares. */
  readonly coherence?: Coherence
  /** An exponent that no quantity of this kind can exceed, whatever is derived: 0 of an alignment, which is at most 1. */
  readonly ceiling?: number
}

/** What is known of how the terms add: as squares (they are independent), as they are, or either way. */
export type Coherence = "none" | "full" | "full or none"

/** The power of the size that is a sum of the terms' same powers. */
type Power = 1 | 2

const POWERS: Readonly<Record<Coherence, readonly Power[]>> = { none: [2], full: [1], "full or none": [1, 2] }

/** Two independent terms have a correlation of n^(−CROSS). */
const CROSS = 1 / 2

/** How far above the plain slope a leading exponent is looked for; below, the next term bounds it. */
const REACH = 1.5
const STEP = 0.02
/**
 * At the widest width the leading term is at least this part of every other: a smaller one is not seen by such data.
 */
export const LEAST_SHARE = 1 / 4

/**
 * How amplitudes are fitted: "free" lets go of every bound but that the leading one is positive: intervals become
 * longer.
 */
export type AmplitudeBounds = "bounded" | "free"

/**
 * The leading exponent e of a quantity whose other terms' exponents eₖ are derived: RMS = a nᵉ + Σ aₖ n^eₖ where the
 * terms are coherent; where they are independent their squares add, RMS² = a² n²ᵉ + Σ aₖ² n^2eₖ + b n^(e + e₁ − 1/2):
 * a sum of n products of independent terms is n^(−1/2) of its largest value, so |b| ≤ 2 a a₁, and its sign is free.
 *
 * For a given e both models are linear in their amplitudes, so χ²(e) is the least over models and amplitudes, and the
 * interval spans all e where it exceeds its minimum by less than the quantile (profile likelihood). A bootstrap is not
 * used: amplitudes at their bound 0 break it. The leading exponent is at least the next one, others[0]; where the data
 * do not exclude that the two are equal, it is the interval's lower end.
 *
 * With `coherence: "none"` only the second model is fitted, with "full" only the first. Terms may also be partly
 * coherent: with "full or none" both models bracket such data. Bounds on amplitudes make the interval shorter, and
 * cover more often than the level says (`verify interval-coverage`).
 *
 * Assumed throughout: at the widest width the leading term is at least {@link LEAST_SHARE} of every other.
 *
 * Corrections of relative size n^(−gap) are fitted with either sign, and together may not exceed the leading term at
 * the narrowest width.
 *
 * @param company the derived other terms and corrections.
 * @returns the fit, with an interval of the level asked for.
 * @throws InputError as `logPoints`.
 */
export function leadingExponent(
  samples: readonly WidthSample[],
  company: OtherTerms,
  amplitudes: AmplitudeBounds = "bounded",
): (level: number) => LeadingFit {
  const points = logPoints(samples)
  const variances = variancesOf(points, degreesOf(samples))
  const models = POWERS[company.coherence ?? "full or none"].map((power) => ({
    power,
    chiSquare: chiSquareOf(power, points, variances, company, amplitudes),
  }))
  const best = (e: number) => Math.min(...models.map(({ chiSquare }) => chiSquare(e)))
  const [narrowest, widest] = [points[0]!, points.at(-1)!]
  const rough = (widest.logValue - narrowest.logValue) / (widest.logWidth - narrowest.logWidth)
  const floor = company.others[0] ?? rough - REACH
  const { ceiling = Number.POSITIVE_INFINITY } = company
  const top = Math.min(Math.max(rough, floor) + REACH, Math.max(floor, ceiling))
  const count = Math.ceil((top - floor) / STEP) + 1
  const grid = Array.from({ length: count }, (_, i) => Math.min(floor + i * STEP, top))
  const values = grid.map(best)
  const least = values.indexOf(Math.min(...values))
  // Each model by itself, since the lesser of several has several minima.
  const around = [grid[Math.max(0, least - 1)]!, grid[Math.min(grid.length - 1, least + 1)]!] as const
  const minima = models.map(({ chiSquare }) => minimum(chiSquare, ...around, GOLDEN_STEPS))
  const candidates = [grid[least]!, ...minima].map((e) => ({ exponent: e, lowest: best(e) }))
  const { exponent, lowest } = candidates.reduce((x, y) => (y.lowest < x.lowest ? y : x))
  const degrees = Math.max(1, points.length - 2)
  const { power } = models.find(({ chiSquare }) => chiSquare(exponent) <= lowest)!
  const model = power === 1 ? "coherent" : "quadrature"
  return (level) => {
    // With estimated errors: Student's t² in place of χ² with one degree.
    const threshold = lowest + studentQuantile(level, degreesOf(samples)) ** 2
    // The minimum may be sharper than the grid, so its own neighbourhood always counts as inside.
    const inside = (i: number) => i === least || values[i]! <= threshold
    const end = (i: number, beyond: number) =>
      boundary(
        (e) => models.some(({ chiSquare }) => chiSquare(e) <= threshold),
        i === least ? exponent : grid[i]!,
        grid[beyond]!,
        BISECTIONS,
      )
    const first = values.findIndex((_, i) => inside(i))
    const last = values.findLastIndex((_, i) => inside(i))
    const low = first <= 0 ? floor : end(first, first - 1)
    const high = last < grid.length - 1 ? end(last, last + 1) : top === ceiling ? ceiling : Number.POSITIVE_INFINITY
    return { exponent, interval: { low, high, level }, model, chiSquare: lowest, degrees }
  }
}

/** A grid's step is narrowed to 1e-5 of itself. */
const [GOLDEN_STEPS, BISECTIONS] = [24, 17]

/** χ²(e) of the logarithms, the least over amplitudes, of the model in which the sizes' powers add. */
function chiSquareOf(
  power: Power,
  points: readonly LogPoint[],
  variances: readonly number[],
  { others, corrections }: OtherTerms,
  amplitudes: AmplitudeBounds,
): (e: number) => number {
  const centre = points.reduce((sum, { logWidth }) => sum + logWidth, 0) / points.length
  // Relative residuals: dividing each row by the value makes weights those of the logarithm.
  const scales = Float64Array.from(variances, (variance) => Math.sqrt(1 / variance) / power)
  const widths = Float64Array.from(points, ({ logWidth }) => logWidth - centre)
  const logValues = Float64Array.from(points, ({ logValue }) => power * logValue)
  const columnOf = (kind: PowerColumn["kind"]): PowerColumn => ({ kind, values: new Float64Array(points.length) })
  const write = ({ values }: PowerColumn, exponent: number) => {
    for (let i = 0; i < values.length; i++) values[i] = scales[i]! * Math.exp(exponent * widths[i]! - logValues[i]!)
  }
  const [leading, terms, corrected] = [
    columnOf("term"),
    others.map(() => columnOf("term")),
    corrections.map(() => columnOf("correction")),
  ]
  const cross = power === 2 && others[0] !== undefined ? columnOf("cross") : null
  const columns = [leading, ...terms, ...corrected, ...(cross === null ? [] : [cross])]
  for (const [k, term] of terms.entries()) write(term, power * others[k]!)
  const share = amplitudes === "free" ? null : LEAST_SHARE ** power
  return (e) => {
    write(leading, power * e)
    for (let k = 0; k < corrected.length; k++) write(corrected[k]!, power * e - corrections[k]!)
    if (cross !== null) write(cross, e + others[0]! - CROSS)
    return leastSquares(columns, scales, share).residual
  }
}
