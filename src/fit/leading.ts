import { type Column, leastSquares } from "./amplitudes.js"
import { studentQuantile } from "./normal.js"
import { degreesOf, type Interval, logPoints, variancesOf, type WidthSample } from "./slope.js"

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
export interface Company {
  /** Exponents of the other terms, largest first. */
  readonly others: readonly number[]
  /** Gaps > 0 of corrections a n^(e − gap) of either sign, relative to the leading term. */
  readonly corrections: readonly number[]
  /** How the terms add; by default either as they are or as squares. */
  readonly coherence?: Coherence
}

/** What is known of how the terms add: as squares (they are independent), as they are, or either way. */
export type Coherence = "none" | "full" | "full or none"

/** The power of the size that is a sum of the terms' same powers. */
type Power = 1 | 2

const POWERS: Readonly<Record<Coherence, readonly Power[]>> = { none: [2], full: [1], "full or none": [1, 2] }

/** How far above the plain slope a leading exponent is looked for; below, the next term bounds it. */
const REACH = 1.5
const STEP = 0.02
/** At the widest width the leading term is at least this part of every other: a smaller one is not seen by such data. */
export const LEAST_SHARE = 1 / 4

/** How a leading exponent is fitted. */
export interface LeadingOptions {
  /** Of the interval; default 0.95. */
  readonly level?: number
  /** "free" lets go of every bound on the amplitudes but that the leading one is positive: intervals become longer. */
  readonly amplitudes?: "bounded" | "free"
}

/**
 * The leading exponent e of a quantity whose other terms' exponents eₖ are derived: RMS = a nᵉ + Σ aₖ n^eₖ where the
 * terms are coherent; where they are of different parity, and so uncorrelated, their squares add: RMS² = a² n²ᵉ + Σ aₖ² n^2eₖ.
 *
 * For a given e both models are linear in their amplitudes, so χ²(e) is the least over models and amplitudes, and the
 * interval spans all e where it exceeds its minimum by less than the quantile (profile likelihood). A bootstrap is not used:
 * amplitudes at their bound 0 break it. The leading exponent is at least the next one, others[0]; where the data do not
 * exclude that the two are equal, it is the interval's lower end.
 *
 * With `coherence: "none"` only the second model is fitted, with "full" only the first. Terms may also be partly coherent: with
 * "full or none" both models bracket such data. Bounds on amplitudes make the interval shorter, and cover more often than
 * the level says (`verify interval-coverage`).
 *
 * Assumed throughout: at the widest width the leading term is at least {@link LEAST_SHARE} of every other.
 *
 * Corrections of relative size n^(−gap) are fitted with either sign, and together may not exceed the leading term at the
 * narrowest width.
 *
 * @param company the derived other terms and corrections.
 * @throws InputError as `logPoints`.
 */
export function leadingExponent(
  samples: readonly WidthSample[],
  { others, corrections, coherence = "full or none" }: Company,
  { level = 0.95, amplitudes = "bounded" }: LeadingOptions = {},
): LeadingFit {
  const points = logPoints(samples)
  const weights = variancesOf(points, degreesOf(samples)).map((variance) => 1 / variance)
  const logWidths = points.map(({ logWidth }) => logWidth)
  const centre = logWidths.reduce((x, y) => x + y) / logWidths.length
  const powers = POWERS[coherence]
  // Relative residuals: dividing each row by the value makes weights those of the logarithm.
  const chiSquare = (e: number, power: Power): number => {
    const scales = weights.map((weight) => Math.sqrt(weight) / power)
    const column = (kind: Column["kind"], exponent: number): Column => ({
      kind,
      values: points.map(
        ({ logWidth, logValue }, i) => scales[i]! * Math.exp(exponent * (logWidth - centre) - power * logValue),
      ),
    })
    const columns = [
      column("term", power * e),
      ...others.map((x) => column("term", power * x)),
      ...corrections.map((gap) => column("correction", power * e - gap)),
    ]
    return leastSquares(columns, scales, amplitudes === "free" ? null : LEAST_SHARE ** power).residual
  }
  const best = (e: number) => Math.min(...powers.map((power) => chiSquare(e, power)))
  const rough = (points.at(-1)!.logValue - points[0]!.logValue) / (logWidths.at(-1)! - logWidths[0]!)
  const floor = others[0] ?? rough - REACH
  const count = Math.ceil((Math.max(rough, floor) + REACH - floor) / STEP) + 1
  const grid = Array.from({ length: count }, (_, i) => floor + i * STEP)
  const values = grid.map(best)
  const least = values.indexOf(Math.min(...values))
  // Each model by itself, since the lesser of several has several minima.
  const around = [grid[Math.max(0, least - 1)]!, grid[Math.min(grid.length - 1, least + 1)]!] as const
  const minima = powers.map((power) => minimise((e) => chiSquare(e, power), ...around))
  const exponent = [grid[least]!, ...minima].reduce((x, y) => (best(y) < best(x) ? y : x))
  const minimum = best(exponent)
  const degrees = Math.max(1, points.length - 2)
  const model = powers.includes(1) && chiSquare(exponent, 1) <= minimum ? "coherent" : "quadrature"
  // With estimated errors: Student's t² in place of χ² with one degree.
  const threshold = minimum + studentQuantile(level, degreesOf(samples)) ** 2
  // The minimum may be sharper than the grid, so its own neighbourhood always counts as inside.
  const inside = (i: number) => i === least || values[i]! <= threshold
  const first = values.findIndex((_, i) => inside(i))
  const last = values.findLastIndex((_, i) => inside(i))
  const low =
    first <= 0 ? floor : crossing(best, threshold, first === least ? exponent : grid[first]!, grid[first - 1]!)
  const high =
    last === grid.length - 1
      ? Number.POSITIVE_INFINITY
      : crossing(best, threshold, last === least ? exponent : grid[last]!, grid[last + 1]!)
  return { exponent, interval: { low, high, level }, model, chiSquare: minimum, degrees }
}

function minimise(f: (x: number) => number, low: number, high: number): number {
  const golden = (Math.sqrt(5) - 1) / 2
  let [a, b] = [low, high]
  for (let i = 0; i < 30; i++) {
    const [x, y] = [b - golden * (b - a), a + golden * (b - a)]
    if (f(x) < f(y)) b = y
    else a = x
  }
  return (a + b) / 2
}

function crossing(f: (x: number) => number, threshold: number, inside: number, outside: number): number {
  let [a, b] = [inside, outside]
  for (let i = 0; i < 20; i++) {
    const middle = (a + b) / 2
    if (f(middle) <= threshold) a = middle
    else b = middle
  }
  return (a + b) / 2
}
