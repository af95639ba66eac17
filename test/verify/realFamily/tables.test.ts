import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { rateAgainstWidth } from "../../../src/fit/optimum.js"
import { alongLaw, lawThroughOptimum, rateAt, recordedOf } from "../../../verify/realFamily/tables.js"
import type { TuningSize } from "../../../verify/tunings.js"

const WIDTHS = [64, 128, 256]
/** Grids that move with the width, as those that follow a minimum do. */
const RATES = new Map(WIDTHS.map((width) => [width, [1, 2, 4, 8, 16].map((k) => (k * 64) / width / 1000)]))

function sizesOf(value: (width: number, rate: number, layer: number) => number): TuningSize[] {
  return WIDTHS.flatMap((width) =>
    RATES.get(width)!.flatMap((rate) =>
      [0, 1].map(
        (layer): TuningSize => ({
          ...{ scheme: "s", width, seed: 1, rate, step: 5, module: `layers.${layer}.v_proj`, kind: "v_proj" },
          ...{ quantity: "zB", value: value(width, rate, layer) },
        }),
      ),
    ),
  )
}
const optimum = (exponent: number, first: number) =>
  rateAgainstWidth(WIDTHS.map((width) => ({ width, seed: 1, rate: first * (width / 64) ** exponent, censored: null })))

describe("sizes at rates that follow a law", () => {
  test("powers of rate and width are met exactly between measured rates, layer by layer", () => {
    const power = fc.double({ min: -2, max: 2, noNaN: true })
    fc.assert(
      fc.property(power, power, fc.double({ min: 1.01e-3, max: 1.59e-2, noNaN: true }), (p, q, first) => {
        const sizes = sizesOf((width, rate, layer) => (layer + 1) * rate ** p * width ** q)
        const found = alongLaw(sizes, "s", { exponent: -1, narrowest: 64, first })
        expect(found.length).toBe(WIDTHS.length * 2)
        for (const { width, rate, module, value } of found) {
          expect(rate).toBeCloseTo((first * 64) / width, 12)
          const layer = module.startsWith("layers.0") ? 1 : 2
          expect(value / (layer * rate ** p * width ** q)).toBeCloseTo(1, 9)
        }
      }),
    )
  })

  test("the mean square over layers is what is compared, a value each seed", () => {
    const [only, ...more] = recordedOf(
      alongLaw(
        sizesOf((_, __, layer) => 3 + layer),
        "s",
        { exponent: -1, narrowest: 64, first: 4e-3 },
      ),
    )
    expect(more).toEqual([])
    expect(only).toMatchObject({ module: "zB of v_proj", step: 5, quantity: "zB[v]" })
    expect(only!.samples).toEqual(WIDTHS.map((width) => ({ width, meanSquares: [expect.closeTo(12.5, 9)] })))
  })

  test("what is zero stays zero, what diverged is no number, and a width without the rate is left out", () => {
    const law = { exponent: -1, narrowest: 64, first: 5e-3 }
    expect(
      alongLaw(
        sizesOf(() => 0),
        "s",
        law,
      ).every(({ value }) => value === 0),
    ).toBe(true)
    expect(
      alongLaw(
        sizesOf((_, rate) => (rate > 5e-3 ? Number.NaN : 1)),
        "s",
        law,
      )[0]!.value,
    ).toBeNaN()
    expect(
      alongLaw(
        sizesOf(() => 1),
        "s",
        { ...law, exponent: 1 },
      ).map(({ width }) => width),
    ).not.toContain(256)
    expect(
      alongLaw(
        sizesOf(() => 1),
        "other",
        law,
      ),
    ).toEqual([])
  })

  test("the law goes through the rates of least perplexity, or the nearest that all widths have", () => {
    const sizes = sizesOf(() => 1)
    const through = (exponent: number, first: number) => lawThroughOptimum(sizes, "s", optimum(exponent, first), -1)!
    expect(through(-1, 5e-3).first).toBeCloseTo(5e-3, 12)
    // A slope of −1/2 lies √2 and 2 above at the wider widths: a factor of 2^(1/2) in the mean.
    expect(through(-0.5, 5e-3).first).toBeCloseTo(5e-3 * Math.SQRT2, 12)
    expect(through(-1, 1).first).toBeCloseTo(16e-3, 12)
    expect(rateAt(through(-1, 5e-3), 256)).toBeCloseTo(1.25e-3, 12)
    // Grids that fall as 1/n have no common rates where rates are to rise as n².
    expect(lawThroughOptimum(sizes, "s", optimum(-1, 5e-3), 2)).toBeNull()
  })
})
