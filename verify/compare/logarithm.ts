import type { Terms } from "../../src/derive/terms.js"
import { type Expected, judge, RULES, type Verdict } from "../../src/fit/judge.js"
import type { WidthSample } from "../../src/fit/slope.js"

/**
 * The cause of a contradiction by a factor log n, where the derivation says that the leading term may have one: the
 * exponent is fitted too high, and without the factor, the values divided by log n, no higher than derived.
 *
 * The factor is a + b log n with a and b ≥ 0 that nothing tells, so that the two fits are its bounds. An exponent that
 * is off by more than log n makes up for keeps its contradiction.
 *
 * @param measured the verdict on the samples, a contradiction.
 * @returns null where that is not the cause.
 */
export function logarithmicCause(
  derived: Terms,
  expected: Expected,
  measured: Verdict,
  samples: readonly WidthSample[],
): string | null {
  if (derived.kind === "zero" || expected.kind === "zero" || !derived.logarithmic) return null
  const divided = samples.map((sample) => {
    const logarithm = Math.log(sample.width)
    return { ...sample, meanSquares: sample.meanSquares.map((square) => square / logarithm ** 2) }
  })
  const without = judge(expected, divided)
  const [before, after] = [measured, without].map(({ corrected, plain }) => corrected ?? plain)
  if (!before || !after) return null
  const isBetween = before.interval.low > expected.exponent && after.interval.low <= expected.exponent + RULES.finest
  if (!isBetween) return null
  const [low, high] = [after.interval.low, after.interval.high].map((bound) => bound.toFixed(3))
  return `a factor log n of Adam's quotient: without it the exponent is ${after.exponent.toFixed(3)} [${low}, ${high}]`
}
