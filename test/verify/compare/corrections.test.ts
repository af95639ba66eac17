import { expect, test } from "vitest"
import { openStore } from "../../../src/sweep/store.js"
import { createPool } from "../../../src/train/pool.js"
import { measure } from "../../../verify/compare/measure.js"
import { settingAt } from "../../../verify/compare/setting.js"

/**
 * From Init[B] A's first step is −η sign(Σₜ gₜ xₜᵀ): by Price's theorem its alignment with sample t is √(2/π) times gₜ
 * over the root of Σ g², whose mean square over T samples is 2 / (π T) for inputs without overlap. Overlaps of T inputs
 * are n^(−1/2) of either sign: the mean square exceeds that by O(1/n).
 */
test("overlaps of a batch's inputs are a correction of 1/n in a mean square", async () => {
  const samples = 4
  const widths = [16, 64, 256]
  const [pool, store] = [createPool(0), await openStore(":memory:", {})]
  try {
    const setting = settingAt("init-b", { c: "-1" }, { batch: samples })
    const budget = { widths, rank: 4, steps: 1, seeds: 600, firstSeed: 7_100_000 }
    const [measured] = await measure([setting], budget, { pool, store })
    const excess = measured!.samples("alignment(zA)", 1).map(({ meanSquares }) => {
      const mean = meanSquares.reduce((sum, value) => sum + value, 0) / meanSquares.length
      return mean - 2 / (Math.PI * samples)
    })
    for (const [i, value] of excess.slice(1).entries()) {
      const slope = Math.log(value / excess[i]!) / Math.log(widths[i + 1]! / widths[i]!)
      expect(Math.abs(slope + 1)).toBeLessThan(0.25)
    }
  } finally {
    await store.close()
    await pool.close()
  }
})
