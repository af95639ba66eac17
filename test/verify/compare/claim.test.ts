import { expect, test } from "vitest"
import { gaussians } from "../../../src/train/random.js"
import { checkBudget } from "../../../verify/compare/budget.js"
import { isRefuted, judgeMeasurements } from "../../../verify/compare/claim.js"
import type { Measurements } from "../../../verify/compare/measurements.js"
import { settingAt } from "../../../verify/compare/setting.js"

const setting = settingAt("llama-block/init-a", { c: "-1/4" })
const budget = checkBudget(setting, { widths: [64, 128, 256, 512, 1024, 2048, 4096], seeds: 16 })

/** Every quantity as n^exponent, with a tenth of a percent of noise; saturating functions reach a mean square. */
const powers = (exponent: number, reached = 100): Measurements => ({
  samples: (quantity, t) =>
    budget.widths.map((width) => ({
      width,
      meanSquares: [...gaussians(t, `${quantity} ${width}`, budget.seeds)].map(
        (noise) => (width ** exponent * (1 + noise / 1000)) ** 2,
      ),
    })),
  flipped: () => 0,
  saturation: () => budget.widths.map(() => reached),
})

const judged = (exponent: number, quantity: string, step: number, reached?: number) =>
  judgeMeasurements([setting], budget, [powers(exponent, reached)], {
    quantitiesOf: () => [quantity],
    steps: [step],
  })[0]!

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
