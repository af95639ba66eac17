import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { noiseGrowth } from "../../src/fit/growth.js"
import { type SeededPoint, withoutLevels } from "../../src/fit/seeds.js"
import { gaussians } from "../../src/train/random.js"

const RATES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]
/** Heights above a least loss of 2. */
const HEIGHTS = [0.04, 0.02, 0, 0.01, 0.4, 2, 5]

interface Drawn {
  readonly seeds?: number
  readonly curves?: number
  readonly deviation?: number
  readonly growth?: number
  readonly levels?: number
}

/** Curves of a few seeds, with the noise √(deviation² + (growth · height)²). */
function drawn(seed: number, { seeds = 4, curves = 3, deviation = 0.01, growth = 0, levels = 0 }: Drawn = {}) {
  const noise = gaussians(seed, "noise", curves * seeds * RATES.length)
  const level = gaussians(seed, "level", curves * seeds, levels)
  return Array.from({ length: curves }, (_, c) =>
    Array.from({ length: seeds }, (_, s) =>
      RATES.map((rate, r): SeededPoint => {
        const own = Math.hypot(deviation, growth * HEIGHTS[r]!) * noise[(c * seeds + s) * RATES.length + r]!
        return { rate, seed: String(s), value: 2 + HEIGHTS[r]! + level[c * seeds + s]! + own }
      }),
    ).flat(),
  )
}
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length

describe("noise that grows towards the edge", () => {
  test("even noise counts as even, whatever the seeds' levels", () => {
    const found = Array.from({ length: 400 }, (_, seed) => noiseGrowth(drawn(seed, { levels: 0.3 })))
    // At level 0.999 more than three of 400 are found less than once in a thousand times.
    expect(found.filter((each) => each !== null).length).toBeLessThanOrEqual(3)
  })

  test("growing noise is found, its two parts without bias", () => {
    const found = Array.from({ length: 200 }, (_, seed) => noiseGrowth(drawn(seed, { growth: 0.2, levels: 0.3 })))
    const told = found.flatMap((each) => (each === null ? [] : [each]))
    expect(told.length).toBe(200)
    // Standard deviations of few degrees scatter by 1 / √(2 degrees), their means over 200 by a fourteenth of that.
    expect(mean(told.map(({ growth }) => growth ** 2))).toBeCloseTo(0.04, 2)
    const variance = mean(told.map(({ deviation }) => deviation ** 2))
    expect(variance / 0.01 ** 2).toBeGreaterThan(0.85)
    expect(variance / 0.01 ** 2).toBeLessThan(1.15)
    // The degrees are those with which the deviation is told: 2 var²/ var(var), within what 200 draws show.
    const spread = mean(told.map(({ deviation }) => (deviation ** 2 - variance) ** 2))
    const degrees = mean(told.map((each) => each.degrees))
    expect(degrees).toBeLessThan(1.5 * ((2 * variance ** 2) / spread))
    expect(degrees).toBeGreaterThan(0.4 * ((2 * variance ** 2) / spread))
  })

  test("seeds' levels leave it alone; losses moved and scaled move and scale it", () => {
    const [curves] = [drawn(7, { growth: 0.2 })]
    const base = noiseGrowth(curves)!
    const number = fc.double({ min: -5, max: 5, noNaN: true })
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 4, maxLength: 4 }),
        number,
        fc.double({ min: 0.1, max: 9, noNaN: true }),
        (levels, a, b) => {
          const moved = noiseGrowth(
            curves.map((points) =>
              points.map((each) => ({ ...each, value: a + b * (each.value + levels[Number(each.seed)]!) })),
            ),
          )!
          expect(moved.deviation / b / base.deviation).toBeCloseTo(1, 3)
          expect(moved.growth / base.growth).toBeCloseTo(1, 3)
          expect(moved.degrees).toBe(base.degrees)
        },
      ),
      { numRuns: 30 },
    )
  })

  test("without repeated runs, or runs that differ, nothing is told", () => {
    expect(noiseGrowth(drawn(1, { seeds: 1 }))).toBeNull()
    expect(noiseGrowth(drawn(1, { deviation: 0 }))).toBeNull()
    expect(noiseGrowth([])).toBeNull()
    const diverged = drawn(1, { seeds: 2, growth: 0.2 }).map((points) =>
      points.map((each) => (each.seed === "1" ? { ...each, value: Number.NaN } : each)),
    )
    expect(noiseGrowth(diverged)).toBeNull()
  })
})

describe("levels of seeds", () => {
  const at = (seed: string, ...values: number[]) => values.map((value, i) => ({ rate: RATES[i]!, seed, value }))

  test("are taken off over the rates in common; a rate that one seed lacks is moved alike", () => {
    const points = [...at("1", 5, 3, 1, 2), ...at("2", 6, 4, 2)]
    expect(withoutLevels(points, null).map(({ value }) => value)).toEqual([5.5, 3.5, 1.5, 2.5, 5.5, 3.5, 1.5])
  })
  test("stay where there are too few rates in common", () => {
    const points = [...at("1", 5, 3), ...at("2", 6, 4)]
    expect(withoutLevels(points, null).map(({ value }) => value)).toEqual([5, 3, 6, 4])
  })
  test("a rate near the edge tells nothing of them where noise grows", () => {
    // Both seeds are alike but for the last rate, where one is nearly diverging.
    const points = [...at("1", 3, 2, 1, 40), ...at("2", 3, 2, 1, 20)]
    const even = withoutLevels(points, null)
    expect(Math.abs(even[0]!.value - even[4]!.value)).toBe(5)
    const growing = withoutLevels(points, { deviation: 0.01, growth: 0.5 })
    expect(Math.abs(growing[0]!.value - growing[4]!.value)).toBeLessThan(0.01)
  })
})
