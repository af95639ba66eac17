import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { type Terms, termsOf } from "../../../src/derive/terms.js"
import { judge } from "../../../src/fit/judge.js"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { scheme } from "../../../src/scheme/scheme.js"
import { expected } from "../../../verify/compare/claim.js"
import { logarithmicCause } from "../../../verify/compare/logarithm.js"
import { powersOfTwo } from "../../../verify/compare/widths.js"

/** E x² / √(y² + ε² x²) for independent standard Gaussians x and y, but for a constant: the radius drops out. */
function response(epsilon: number): number {
  const count = 2_000_000
  let sum = 0
  for (let i = 0; i < count; i++) {
    const angle = ((i + 0.5) / count) * Math.PI
    sum += Math.sin(angle) ** 2 / Math.hypot(Math.cos(angle), epsilon * Math.sin(angle))
  }
  return sum / count
}

test("what a gradient ε times as large moves along itself through Adam's quotient is ε log(1/ε)", () => {
  const [tenth, hundredth, thousandth] = [0.1, 0.01, 0.001].map(response)
  // 2/π for each e-fold: each decade adds as much as the one before.
  expect(thousandth! - hundredth!).toBeCloseTo((2 / Math.PI) * Math.log(10), 2)
  expect(hundredth! - tenth!).toBeCloseTo((2 / Math.PI) * Math.log(10), 1)
})

test("on a block from Init[B] beyond its bound, what A makes of the new stream has the factor, at the first step nothing", () => {
  const terms = termsOf(scheme(schemeNamed("llama-block/init-b"), { c: "-3/4" }))
  const has = (quantity: string, t: number) => {
    const derived = terms(quantity, t)
    return derived.kind === "power" && derived.logarithmic
  }
  expect([has("zA[q]", 1), has("zA[q]", 2), has("zA[up]", 2), has("delta1[up]", 3)]).toEqual([false, false, true, true])
})

const derived = (logarithmic: boolean): Terms => ({
  ...{ kind: "power", exponent: new Fraction(0), others: [], orthogonal: true, corrections: [] },
  ...{ relation: "equal", logarithmic },
})
/** Values with a spread of a percent over eight seeds. */
const samples = (value: (n: number) => number) =>
  powersOfTwo(6, 16).map((width) => ({
    width,
    meanSquares: Array.from({ length: 8 }, (_, i) => (value(width) * (1 + 0.01 * Math.sin(7 * i + width))) ** 2),
  }))

test.each([
  ["log n is the cause where it is derived", true, (n: number) => Math.log(n), true],
  ["so is a constant beside it", true, (n: number) => 3 + Math.log(n), true],
  ["not where it is not derived", false, (n: number) => Math.log(n), false],
  ["nor of what grows by more", true, (n: number) => n ** 0.5, false],
  ["nor of what falls", true, (n: number) => n ** -0.1, false],
] as const)("%s", (_, logarithmic, value, isCause) => {
  const [own, measured] = [derived(logarithmic), samples(value)]
  const asked = expected(own)
  const verdict = judge(asked, measured)
  expect(verdict.verdict).toBe("contradicts")
  expect(logarithmicCause(own, asked, verdict, measured) !== null).toBe(isCause)
})
