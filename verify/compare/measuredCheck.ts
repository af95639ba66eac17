/**
 * The coordinate check of a model that somebody else trained: recorded sizes beside what is derived for a named
 * quantity.
 */
import { inverse, Matrix, solve } from "ml-matrix"
import { termsOf } from "../../src/derive/terms.js"
import { type Expected, judge, RULES, type Verdict } from "../../src/fit/judge.js"
import { studentQuantile } from "../../src/fit/normal.js"
import { logPoints, slope, type WidthSample } from "../../src/fit/slope.js"
import { scheme } from "../../src/scheme/scheme.js"
import { expected } from "./claim.js"
import type { Setting } from "./setting.js"

/** What was recorded of one module at one step: its sizes at each width. */
export interface Recorded {
  readonly module: string
  /** null: the table has no steps, and what holds for all later t is meant. */
  readonly step: number | null
  /** The derived quantity that it is; null for none. */
  readonly quantity: string | null
  readonly samples: readonly WidthSample[]
}

/**
 * The verdicts of `judge`, and two more. "consistent": the plain slope is the derived exponent, but the fit that leaves
 * room for the other derived terms is too wide to decide, so that it does not count as agreeing. "none": nothing is
 * derived for it.
 */
type MeasuredVerdict = Verdict["verdict"] | "consistent" | "none"

/** A recorded size beside its derived exponents. */
export interface MeasuredCheck extends Recorded {
  /**
   * The exponents that may be meant, of one step or of two where it is open how steps were counted; null is exactly
   * zero.
   */
  readonly derived: readonly (number | null)[]
  readonly exponent: number | null
  readonly interval: { readonly low: number; readonly high: number } | null
  readonly verdict: MeasuredVerdict
  readonly why: string
}

/** A step beyond which a listed one stands for all later. */
const LATE = 100

/**
 * Recorded sizes, each with its slope and, where a derived quantity is named, a verdict corrected for the number of
 * all.
 *
 * @param updates how many updates the first recorded step had seen; null where it is not known, so that 0 and 1 are
 * both read, and a verdict is given only where they say the same.
 * @throws InputError for a scheme with free symbols.
 */
export function measuredChecks(
  setting: Setting,
  recorded: readonly Recorded[],
  updates: number | null,
): MeasuredCheck[] {
  const terms = termsOf(scheme(setting.definition, setting.values))
  const steps = recorded.flatMap(({ step }) => (step === null ? [] : [step]))
  const first = Math.min(...steps)
  const counts = updates !== null ? [updates] : first >= 1 ? [first - 1, first] : [first]
  const tests = recorded.filter(({ quantity }) => quantity !== null).length
  return recorded.map((each) => {
    const { step, quantity, samples } = each
    const { exponent, interval } = measuredSlope(samples, RULES.level)
    const seen = { ...each, exponent, interval, derived: [] }
    if (quantity === null) return { ...seen, verdict: "none", why: "no derived counterpart is named: its slope only" }
    const at = step === null ? [LATE] : counts.map((count) => count + step - first)
    if (at.includes(0) && (at.length === 1 || step === first))
      return {
        ...seen,
        verdict: "none",
        why: "before any update, unless --updates says otherwise: exponents are derived from the first update on",
      }
    const readings = at.map((t) => expected(terms(quantity, Math.min(t, LATE))))
    const derived = readings.map((reading) => (reading.kind === "zero" ? null : reading.exponent))
    const judged = readings.map((reading) => verdictOn(reading, samples, tests))
    const [one, other] = judged
    if (other === undefined || derived[0] === derived[1]) return { ...seen, derived: derived.slice(0, 1), ...one! }
    if (judged.every(({ verdict }) => verdict === "contradicts"))
      return { ...seen, derived, verdict: "contradicts", why: "neither way of counting steps fits" }
    const fits = at.filter((_, i) => ["agrees", "consistent"].includes(judged[i]!.verdict))
    return {
      ...seen,
      derived,
      verdict: "inconclusive",
      why: `at this early step it matters how many updates were made before: ${at.join(" or ")}${fits.length === 1 ? `; ${fits[0]} would agree` : ""}; --updates says it of the first step`,
    }
  })
}

function verdictOn(
  reading: Expected,
  samples: readonly WidthSample[],
  tests: number,
): { readonly verdict: MeasuredVerdict; readonly why: string } {
  const widths = `${samples.length} widths`
  if (samples.length < 3) return { verdict: "inconclusive", why: `${widths}: at least three are needed` }
  if (reading.kind === "zero" || samples.every(({ meanSquares }) => meanSquares.length > 1)) {
    const judged = judge(reading, samples, tests)
    if (judged.verdict !== "inconclusive" || reading.kind === "zero") return judged
    const plain = judge({ ...reading, others: [], corrections: [] }, samples, tests)
    return plain.verdict === "agrees"
      ? {
          verdict: "consistent",
          why: "the plain slope is the derived exponent, but a fit with the other derived terms is too wide to decide; more widths or seeds would",
        }
      : judged
  }
  if (samples.some(({ meanSquares }) => !meanSquares.every((value) => value > 0 && Number.isFinite(value))))
    return { verdict: "contradicts", why: "derived as a power of the width, but zero at some width" }
  return verdictOfOne(reading, samples, tests)
}

/**
 * One value at a width: the scatter about the line is all that tells the noise, and nothing tells the other terms from
 * it.
 */
function verdictOfOne(
  { exponent, relation, others, corrections }: Expected & { readonly kind: "power" },
  samples: readonly WidthSample[],
  tests: number,
): { readonly verdict: MeasuredVerdict; readonly why: string } {
  const { interval } = measuredSlope(samples, 1 - (1 - RULES.level) / tests)
  if (interval === null || !Number.isFinite(interval.low))
    return { verdict: "inconclusive", why: "one value at each width" }
  const method = `one value at each of ${samples.length} widths: the interval is from their scatter about the line`
  const hasCompany = others.length + corrections.length > 0
  if (exponent < interval.low || (relation === "equal" && exponent > interval.high)) {
    // Smaller terms lower the slope, and never below the smallest of them.
    const isExplained = corrections.length > 0 || (exponent > interval.high && Math.min(...others) <= interval.high)
    return hasCompany && isExplained
      ? { verdict: "inconclusive", why: `${method}; other derived terms may bend it: several seeds would decide` }
      : { verdict: "contradicts", why: `${method}; the derived exponent lies outside` }
  }
  const own = measuredSlope(samples, RULES.level).interval!
  if ((own.high - own.low) / 2 > RULES.widestHalfWidth)
    return { verdict: "inconclusive", why: `${method}; it is too wide` }
  return hasCompany
    ? {
        verdict: "consistent",
        why: `${method} and contains the derived exponent; with the other derived terms only several seeds decide`,
      }
    : { verdict: "agrees", why: `${method}; it contains the derived exponent` }
}

/** The slope where at least three widths have sizes > 0: with several seeds by their spread, else by the scatter. */
function measuredSlope(samples: readonly WidthSample[], level: number): Pick<MeasuredCheck, "exponent" | "interval"> {
  const isSized = samples.every(
    ({ meanSquares }) => meanSquares.some((v) => v > 0) && meanSquares.every(Number.isFinite),
  )
  if (samples.length < 3 || !isSized) return { exponent: null, interval: null }
  if (samples.every(({ meanSquares }) => meanSquares.length > 1)) return slope(samples, { level })
  const points = logPoints(samples)
  const design = new Matrix(points.map(({ logWidth }) => [1, logWidth]))
  const target = Matrix.columnVector(points.map(({ logValue }) => logValue))
  const fit = solve(design, target)
  const residuals = target.clone().sub(design.mmul(fit)).to1DArray()
  const degrees = points.length - 2
  const variance = residuals.reduce((sum, residual) => sum + residual ** 2, 0) / degrees
  const error = Math.sqrt(variance * inverse(design.transpose().mmul(design)).get(1, 1))
  const [exponent, half] = [fit.get(1, 0), studentQuantile(level, degrees) * error]
  return { exponent, interval: { low: exponent - half, high: exponent + half } }
}
