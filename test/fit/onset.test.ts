import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { onset } from "../../src/fit/onset.js"
import { pairedDifference } from "../../src/fit/paired.js"

const WIDTHS = Array.from({ length: 16 }, (_, k) => 2 ** (k + 3))

/** n^e (1 + b n^−g), without noise. */
const corrected = (e: number, b: number, g: number) =>
  WIDTHS.map((width) => ({ width, meanSquares: [(width ** e * (1 + b * width ** -g)) ** 2] }))

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })

describe("onset", () => {
  test("of a correction that falls as n^−g: its decay, and the width at which the slope comes near", () =>
    fc.assert(
      fc.property(number(-1, 1), number(0.2, 1), number(0.3, 1), (e, b, g) => {
        const { decay, from, expected, local } = onset(corrected(e, b, g), e, 0.02)
        expect(decay!).toBeLessThan(-0.7 * g)
        expect(decay!).toBeGreaterThan(-1.1 * g)
        // d ln(1 + b n^−g) / d ln n lies between −g b n^−g and half of it as b n^−g ≤ 1.
        for (const { width, slope } of local) {
          const steepest = g * b * width ** -g
          expect(e - slope).toBeLessThanOrEqual(steepest + 1e-9)
        }
        if (from !== null && from > WIDTHS[0]!) {
          expect(Math.abs(local.find(({ width }) => width === from / 2)!.slope - e)).toBeGreaterThan(0.02)
          expect(expected! / from).toBeGreaterThan(1 / 4)
          expect(expected! / from).toBeLessThan(4)
        }
      }),
    ))

  test("of a pure power is the narrowest width, of a wrong exponent there is none", () =>
    fc.assert(
      fc.property(number(-1, 1), number(0.1, 1), (e, off) => {
        expect(onset(corrected(e, 0, 1), e, 0.05).from).toBe(WIDTHS[0])
        expect(onset(corrected(e, 0, 1), e + off, 0.05).from).toBeNull()
      }),
    ))
})

describe("a paired difference", () => {
  test("is Student's interval of the mean", () => {
    // Student (1908), hours of sleep gained: mean 1.58, t with 9 degrees, 95 % [0.70, 2.46].
    const gained = [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4]
    const { mean, low, high } = pairedDifference(gained)
    expect(mean).toBeCloseTo(1.58, 10)
    expect(low).toBeCloseTo(0.7, 1)
    expect(high).toBeCloseTo(2.46, 2)
  })
  test("of one pair decides nothing", () => expect(pairedDifference([3]).low).toBe(Number.NEGATIVE_INFINITY))
})
