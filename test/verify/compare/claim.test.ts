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

const judged = (exponent: number, quantity: string, step: number) =>
  judgeMeasurements([setting], budget, [powers(exponent)], { quantitiesOf: () => [quantity], steps: [step] })[0]!

/** B of up: Θ(n^c); at the second step the gradient under Adam's quotient is known as a bound only. */
test("a miss has no cause of its own, whether or not what a quotient is of is known", () => {
  expect(judged(-1 / 4, "b[up]", 2).measured.verdict).toBe("agrees")
  expect(isRefuted(judged(-0.6, "b[up]", 2))).toBe(true)
  expect(isRefuted(judged(-0.33, "b[up]", 1))).toBe(true)
})
