import { expect, test } from "vitest"
import { gaussians } from "../../../src/train/random.js"
import { checkBudget } from "../../../verify/compare/budget.js"
import { isRefuted, judgeMeasurements } from "../../../verify/compare/claim.js"
import type { Measurements } from "../../../verify/compare/measurements.js"
import { settingAt } from "../../../verify/compare/setting.js"

const setting = settingAt("llama-block/init-a", { c: "-1/4" })
const budget = checkBudget(setting, { widths: [64, 128, 256, 512, 1024, 2048, 4096], seeds: 16 })

/** Every quantity as n^exponent, with a tenth of a percent of noise. */
const powers = (exponent: number): Measurements => ({
  samples: (quantity, t) =>
    budget.widths.map((width) => ({
      width,
      meanSquares: [...gaussians(t, `${quantity} ${width}`, budget.seeds)].map(
        (noise) => (width ** exponent * (1 + noise / 1000)) ** 2,
      ),
    })),
  flipped: () => 0,
})

/** B of up at the second step: Θ(n^c), the gradient under Adam's quotient known as a bound only. */
const judged = (exponent: number, quantity = "b[up]", step = 2) =>
  judgeMeasurements([setting], budget, [powers(exponent)], { quantitiesOf: () => [quantity], steps: [step] })[0]!

test("where a quotient is of a bound a small miss has that as its cause, a large one none", () => {
  expect(judged(-1 / 4).measured.verdict).toBe("agrees")
  const small = judged(-0.33)
  expect([small.measured.verdict, small.cause]).toEqual(["contradicts", expect.stringContaining("as a bound only")])
  expect(isRefuted(judged(-0.6))).toBe(true)
})

test("where all that a quotient is of is known a small miss has no cause", () => {
  expect(isRefuted(judged(-0.33, "b[up]", 1))).toBe(true)
})
