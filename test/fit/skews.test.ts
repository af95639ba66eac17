/** Places of curves of few rates: exact for parabolas, and between what the skews allow for others. */
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { curvePlaces } from "../../src/fit/curvePlaces.js"
import { overReadings } from "../../src/fit/skews.js"

const SHARE = 0.02
const RATES = [1e-4, 1e-3, 1e-2]
/** A loss that is 1 at its least, at x = ln(rate), and rises as c (u² + s u³). */
const curve = (x: number, c: number, s = 0) =>
  RATES.map((rate) => {
    const u = Math.log(rate) - x
    return { rate, value: 1 + c * (u ** 2 + s * u ** 3) }
  })
/** In the middle third of the grid, where the least loss has a neighbour on both sides. */
const place = fc.double({ min: Math.log(5e-4), max: Math.log(2e-3), noNaN: true })
const curvature = fc.double({ min: 0.005, max: 1, noNaN: true })

describe("three rates", () => {
  test("of a parabola tell its minimum, and its edge where a rate beyond it was run", () => {
    fc.assert(
      fc.property(place, curvature, (x, c) => {
        const { optimum, edge } = curvePlaces(curve(x, c), null, SHARE, null)
        expect(Math.log(optimum.rate!)).toBeCloseTo(x, 6)
        const at = x + Math.sqrt(SHARE / c)
        const held = Math.log(edge.low)
        if (at < Math.log(1e-2) && at > held) expect(Math.log(edge.rate!)).toBeCloseTo(at, 6)
      }),
    )
  })

  test("of a curve that rises up to twice as much on one side have its minimum between those of the skews", () => {
    const skew = fc.double({ min: -1 / 3, max: 1 / 3, noNaN: true }).map((s) => s / Math.log(10))
    fc.assert(
      fc.property(place, curvature, skew, (x, c, s) => {
        const [left, right] = curvePlaces(curve(x, c, s), null, SHARE, null).optimum.readings!.map(Math.log)
        expect(Math.min(left!, right!)).toBeLessThanOrEqual(x + 1e-6)
        expect(Math.max(left!, right!)).toBeGreaterThanOrEqual(x - 1e-6)
      }),
    )
  })

  test("whose least loss is at the grid's end have no skewed minima", () => {
    const { optimum, edge } = curvePlaces(curve(Math.log(1e-2), 0.1), null, SHARE, null)
    expect([optimum.readings, edge.readings]).toEqual([undefined, undefined])
  })
})

test("a slope reaches over those of other readings, and is not identified where one of them is unbounded", () => {
  const reading = (low: number, high: number) => ({
    exponent: (low + high) / 2,
    interval: { low, high, level: 0.95 },
    scatter: 0.1,
    observations: 6,
    censored: 0,
    identified: true,
  })
  const wide = overReadings(reading(-0.6, -0.4), [reading(-0.7, -0.5), reading(-0.5, -0.2)])!
  expect(wide).toMatchObject({ exponent: -0.5, interval: { low: -0.7, high: -0.2 }, identified: true })
  expect(overReadings(reading(-0.6, -0.4), [null])!.identified).toBe(false)
  expect(overReadings(null, [reading(0, 1)])).toBeNull()
})
