import { expect, test } from "vitest"
import { gaussians } from "../../../src/train/random.js"
import { checkBudget } from "../../../verify/compare/budget.js"
import { isRefuted, judgeMeasurements } from "../../../verify/compare/claim.js"
import type { Measurements } from "../../../verify/compare/measurements.js"
import { type Setting, settingAt } from "../../../verify/compare/setting.js"

const setting = settingAt("llama-block/init-a", { c: "-1/4" })
/** A quarter beside its bound along the rate of A. */
const steepA = settingAt("llama-block/lora-plus", { cA: "-3/4", cB: "-1/2" })
const budget = checkBudget(setting, { widths: [64, 128, 256, 512, 1024, 2048, 4096], seeds: 16 })

/** Every quantity as n^exponent, with a tenth of a percent of noise; saturating functions reach a mean square by width. */
const powers = (exponent: number, reached: (width: number, name: string) => number): Measurements => ({
  samples: (quantity, t) =>
    budget.widths.map((width) => ({
      width,
      meanSquares: [...gaussians(t, `${quantity} ${width}`, budget.seeds)].map(
        (noise) => (width ** exponent * (1 + noise / 1000)) ** 2,
      ),
    })),
  flipped: () => 0,
  saturation: (name) => budget.widths.map((width) => reached(width, name)),
})

const judged = (exponent: number, quantity: string, step: number, reached = 100) =>
  judgedOf(
    setting,
    powers(exponent, () => reached),
    quantity,
    step,
  )

const judgedOf = (of: Setting, measurements: Measurements, quantity: string, step: number) =>
  judgeMeasurements([of], budget, [measurements], { quantitiesOf: () => [quantity], steps: [step] })[0]!

/** B of up: Θ(n^c); at the second step the gradient under Adam's quotient is known as a bound only. */
test("a miss has no cause of its own, whether or not what a quotient is of is known", () => {
  expect(judged(-1 / 4, "b[up]", 2).measured.verdict).toBe("agrees")
  expect(isRefuted(judged(-0.6, "b[up]", 2))).toBe(true)
  expect(isRefuted(judged(-0.33, "b[up]", 1))).toBe(true)
})

/**
 * At c = −1/4 the scores change by n^(1/4) in the first step, so that attention saturates; behind it is the input of o,
 * and not that of q, and at the second step every factor has moved by what was behind it.
 */
test("attention that saturates at no measured width is the cause of a miss behind it, and of no other", () => {
  const missed = judged(0, "delta3[o]", 1, 0.01)
  expect(missed.measured.verdict).toBe("contradicts")
  expect(missed.cause).toMatch(/attention .* n\^\(1\/4\) .* t = 1, but measured it changes by 0.10 at n = 64/)
  expect(isRefuted(judged(0, "delta3[o]", 1, 1.1))).toBe(true)
  expect(isRefuted(judged(0, "zB[q]", 1, 0.01))).toBe(true)
  expect(judged(0.6, "zB[q]", 2, 0.01).cause).toMatch(/attention/)
})

/**
 * By derivation the block's output moves by its own size at c_A = −3/4, c_B = −1/2, and by terms n^(−1/4) beside it; the
 * last norm, behind f at t = 3, divides by all of them.
 */
test("a norm that smaller terms hold far beyond its scale is the cause of an exponent too high behind it alone", () => {
  const falling = (width: number) => (3000 / width) ** 2
  const cause = (exponent: number, reached: (width: number) => number, quantity = "alignment(f)", step = 3) => {
    const ofNorms = (width: number, name: string) => (name.startsWith("norm") ? reached(width) : 100)
    const { measured, cause } = judgedOf(steepA, powers(exponent, ofNorms), quantity, step)
    expect(measured.verdict).toBe("contradicts")
    return cause
  }
  expect(cause(0, falling)).toMatch(
    /norm .* n\^\(0\) .* t = 3, but measured it changes by 47 at n = 64, 0.73 at n = 4096/,
  )
  expect(cause(-1 / 2, falling)).toBeNull()
  expect(cause(0, () => 2000)).toBeNull()
  expect(cause(0, (width) => 60 / width)).toBeNull()
  expect(cause(0.3, falling, "zA[q]", 1)).toBeNull()
})
