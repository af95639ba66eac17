import { LEAST_SHARE, type LeadingFit, leadingExponent, type OtherTerms } from "./leading.js"
import { type Interval, isDeterministic, logPoints, type SlopeFit, slope, type WidthSample } from "./slope.js"

/** What is derived for a quantity: its exponent and the other terms of its max, or that it is zero. */
export type Expected =
  | { readonly kind: "zero" }
  | (OtherTerms & {
      readonly kind: "power"
      readonly exponent: number
      readonly relation: "equal" | "atMost"
    })

/** Derived and measured set side by side. */
export interface Verdict {
  readonly verdict: "agrees" | "contradicts" | "inconclusive"
  /** A sentence for people. */
  readonly why: string
  readonly plain: SlopeFit | null
  readonly corrected: LeadingFit | null
}

/** The rules of a verdict. */
export const RULES = {
  /** Level of the intervals that are shown. */
  level: 0.95,
  /** An interval of larger half-width (in units of the exponent) decides nothing: `inconclusive`. */
  widestHalfWidth: 0.15,
  /**
   * Differences of exponents below this contradict nothing: the derived terms do not model Adam's ε (seen at 1e-6 in an
   * interval of that width) nor corrections of second order (seen at 7e-4).
   */
  finest: 1e-3,
  /** Deterministic quantities are exact powers: they are compared to this. */
  exact: 1e-9,
  /**
   * In a coarser format than float64, a value has been rounded at most so often: rate, bias, quotient, steps, squares.
   */
  roundings: 16,
} as const

/**
 * The verdict on one quantity: whether the measured exponent's interval contains the derived one.
 *
 * Where the max has other terms, the leading exponent is fitted with them; where it has none, the plain slope is used.
 *
 * @param tests how many verdicts are given together: a contradiction is tested at level 1 − 0.05 / tests (Bonferroni).
 * @throws InputError as `slope`.
 */
export function judge(expected: Expected, samples: readonly WidthSample[], tests = 1): Verdict {
  const finite = samples.every(({ meanSquares }) => meanSquares.every(Number.isFinite))
  if (!finite) return verdict("inconclusive", "some runs left the finite numbers")
  const zeros = samples.flatMap(({ meanSquares }) => meanSquares).filter((value) => value === 0).length
  const total = samples.reduce((sum, { meanSquares }) => sum + meanSquares.length, 0)
  if (expected.kind === "zero")
    return zeros === total
      ? verdict("agrees", "exactly zero in every run, as derived")
      : verdict("contradicts", `derived zero, but ${total - zeros} of ${total} values are not`)
  const empty = samples.filter(({ meanSquares }) => meanSquares.every((value) => value === 0))
  if (empty.length > 0) {
    const where = zeros === total ? "in every run" : `at width ${empty.map(({ width }) => width).join(", ")}`
    return expected.relation === "atMost" && zeros === total
      ? verdict("agrees", "exactly zero in every run, which any bound allows")
      : verdict("contradicts", `derived Θ(n^e), but exactly zero ${where}`)
  }
  const fewest = Math.min(...samples.map(({ meanSquares }) => meanSquares.length))
  if (fewest < 2) return verdict("inconclusive", "one seed at a width shows no spread: at least two are needed")
  const plain = slope(samples, { level: RULES.level })
  const hasCompany = expected.others.length + expected.corrections.length > 0
  if (isDeterministic(logPoints(samples)) && !hasCompany) {
    const gap = Math.abs(plain.exponent - expected.exponent)
    // A slope over evenly spaced log widths moves by at most 3 / range of its values' relative errors: by one of them,
    // over e³.
    const rounding = Math.max(0, ...samples.map(({ rounding = 0 }) => rounding))
    return gap <= RULES.exact + RULES.roundings * rounding
      ? verdict("agrees", "an exact power of the width", plain)
      : verdict("contradicts", `an exact power whose exponent is off by ${gap.toExponential(1)}`, plain)
  }
  const leading = hasCompany ? leadingExponent(samples, expected) : null
  const corrected = leading?.(RULES.level) ?? null
  const { interval } = corrected ?? plain
  const { low, high } = interval
  const share =
    expected.others.length > 0
      ? `, the leading one assumed at least 1/${1 / LEAST_SHARE} of each at the widest width`
      : ""
  const method = corrected !== null ? `fit with the derived other terms (${corrected.model})${share}` : "plain slope"
  const testLevel = 1 - (1 - RULES.level) / tests
  const isIn = ({ low, high }: Interval) =>
    expected.exponent >= low - RULES.finest &&
    (expected.relation === "atMost" || expected.exponent <= high + RULES.finest)
  // The interval of a higher level holds that of a lower one.
  const within = isIn(interval) || isIn((leading?.(testLevel) ?? slope(samples, { level: testLevel })).interval)
  if (!within)
    return verdict("contradicts", `${method}: the derived exponent lies outside the interval`, plain, corrected)
  // A term that is at most n^e need not be there: then sizes follow another one, and no fit that has it says how.
  if (expected.relation === "atMost" && Math.min(high, plain.interval.high) <= expected.exponent)
    return verdict("agrees", "the slope lies below the derived bound", plain, corrected)
  if ((high - low) / 2 > RULES.widestHalfWidth)
    return verdict("inconclusive", `${method}: the interval is too wide; more widths or seeds decide`, plain, corrected)
  return verdict("agrees", `${method}: the interval contains the derived exponent`, plain, corrected)
}

function verdict(
  kind: Verdict["verdict"],
  why: string,
  plain: SlopeFit | null = null,
  corrected: LeadingFit | null = null,
): Verdict {
  return { verdict: kind, why, plain, corrected }
}
