import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { edgeBracket, optimumBracket, repeatDeviation } from "../../src/fit/bracket.js"
import { type Censored, censoredSlope } from "../../src/fit/censored.js"
import { logProbability, studentQuantile } from "../../src/fit/normal.js"
import { regimeOf } from "../../src/fit/regime.js"
import { InputError } from "../../src/inputError.js"
import { gaussians } from "../../src/train/random.js"

const XS = [1, 2, 3, 4, 5, 6, 7, 8]
const exact = (x: number, y: number, group = ""): Censored => ({ x, low: y, high: y, group })
const noisy = (seed: number) => XS.map((x, i) => exact(x, 2 - x / 2 + 0.3 * gaussians(seed, "y", XS.length)[i]!))

describe("distributions", () => {
  test("Student's t at few degrees as in published tables, and the normal limit", () => {
    const table = { 1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 10: 2.228, 30: 2.042 }
    for (const [degrees, value] of Object.entries(table))
      expect(studentQuantile(0.95, Number(degrees))).toBeCloseTo(value, 3)
    expect(studentQuantile(0.999, 8)).toBeCloseTo(5.041, 3)
    expect(studentQuantile(0.95, 100_000)).toBeCloseTo(1.96, 3)
  })
  test("probabilities of intervals, far out too", () => {
    expect(Math.exp(logProbability(-1.959964, 1.959964))).toBeCloseTo(0.95, 6)
    expect(Math.exp(logProbability(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY))).toBeCloseTo(1, 9)
    // Abramowitz and Stegun 26.2.12: ln Q(20) from its asymptotic series.
    expect(logProbability(20, Number.POSITIVE_INFINITY)).toBeCloseTo(-203.9171554, 4)
    expect(logProbability(2, 3)).toBeCloseTo(logProbability(-3, -2), 12)
  })
})

describe("slopes of censored observations", () => {
  test("without censoring: least squares and Student's interval", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (seed) => {
        const points = noisy(seed)
        const [n, mx] = [XS.length, 4.5]
        const sxx = XS.reduce((sum, x) => sum + (x - mx) ** 2, 0)
        const my = points.reduce((sum, { low }) => sum + low, 0) / n
        const b = points.reduce((sum, { x, low }) => sum + (x - mx) * (low - my), 0) / sxx
        const rss = points.reduce((sum, { x, low }) => sum + (low - my - b * (x - mx)) ** 2, 0)
        const half = 2.44691 * Math.sqrt(rss / (n - 2) / sxx)
        const { exponent, interval } = censoredSlope(points)!
        expect(exponent).toBeCloseTo(b, 5)
        expect(interval.low).toBeCloseTo(b - half, 3)
        expect(interval.high).toBeCloseTo(b + half, 3)
      }),
      { numRuns: 20 },
    )
  })
  test("moving and scaling moves and scales the fit; groups with their own intercepts leave it", () => {
    const points = noisy(1).map((point, i) => (i > 5 ? { ...point, high: Number.POSITIVE_INFINITY } : point))
    const base = censoredSlope(points)!
    const moved = censoredSlope(points.map(({ x, low, high }) => ({ x, low: low + x, high: high + x, group: "" })))!
    expect(moved.exponent).toBeCloseTo(base.exponent + 1, 5)
    expect(moved.interval.low).toBeCloseTo(base.interval.low + 1, 3)
    const shifted = points.map((point) => ({ ...point, low: point.low + 9, high: point.high + 9, group: "other" }))
    expect(censoredSlope([...points, ...shifted])!.exponent).toBeCloseTo(base.exponent, 5)
  })
  test("an edge that hides high values biases a slope that takes it for a value, not the likelihood", () => {
    const edge = -1.3
    const slopes = Array.from({ length: 60 }, (_, seed) => {
      const points = XS.map((x, i) => exact(x, -x / 2 + 0.3 * gaussians(seed, "edge", XS.length)[i]!))
      const seen = (high: number) => points.map((point) => (point.low > edge ? { ...point, low: edge, high } : point))
      return [censoredSlope(seen(edge))!.exponent, censoredSlope(seen(Number.POSITIVE_INFINITY))!.exponent] as const
    })
    const mean = (k: 0 | 1) => slopes.reduce((sum, pair) => sum + pair[k], 0) / slopes.length
    // A slope has a standard error of 0.3 / √42 or more with values hidden, the mean of 60 less than 0.015.
    expect(Math.abs(mean(1) + 0.5)).toBeLessThan(0.045)
    expect(mean(0) + 0.5).toBeGreaterThan(0.08)
  })
  test("too little gives no slope; an empty interval is refused", () => {
    expect(censoredSlope([exact(1, 1), exact(2, 2)])).toBeNull()
    expect(censoredSlope([1, 1, 1, 1].map((x) => exact(x, x)))).toBeNull()
    expect(censoredSlope(XS.map((x) => ({ x, low: 0, high: Number.POSITIVE_INFINITY, group: "" })))).toBeNull()
    expect(() => censoredSlope([{ x: 1, low: 2, high: 1, group: "" }])).toThrow(InputError)
  })
})

describe("what a grid shows", () => {
  const rates = [1e-4, 3e-4, 1e-3, 3e-3]
  const grid = (...values: number[]) => values.map((value, i) => ({ rate: rates[i]!, value }))

  test("a parabola's optimum lies in its bracket; beyond the middle of the last interval it is censored there", () => {
    fc.assert(
      fc.property(fc.double({ min: -11, max: -4, noNaN: true }), (centre) => {
        const place = optimumBracket(
          rates.map((rate) => ({ rate, value: 1 + (Math.log(rate) - centre) ** 2 })),
          null,
        )
        const optimum = Math.exp(centre)
        expect(place.low).toBeLessThan(optimum)
        expect(place.high).toBeGreaterThan(optimum)
        expect(place.observed.low).toBeLessThanOrEqual(optimum * (1 + 1e-9))
        expect(place.observed.high).toBeGreaterThanOrEqual(optimum * (1 - 1e-9))
      }),
    )
  })
  test("losses that repetitions would not tell apart widen the bracket", () => {
    expect(optimumBracket(grid(1.2, 1.0, 1.001, 1.3), null)).toMatchObject({ low: 1e-4, high: 1e-3 })
    expect(optimumBracket(grid(1.2, 1.0, 1.001, 1.3), { deviation: 1e-3, growth: 0 })).toMatchObject({
      low: 1e-4,
      high: 3e-3,
    })
  })
  test("repeated runs are averaged and give the noise; a repetition that diverged makes the rate diverge", () => {
    const twice = [...grid(1.2, 1, 1.1, 1.3), { rate: 3e-4, value: 1.02 }]
    expect(repeatDeviation([twice], 0.5)!.deviation).toBeCloseTo(0.01 * Math.SQRT2, 9)
    expect(repeatDeviation([grid(1.2, 1, 1.1, 1.3)], 0.5)).toBeNull()
    expect(edgeBracket([...twice, { rate: 1e-3, value: Number.NaN }], 0.5)).toMatchObject({ low: 3e-4, high: 1e-3 })
  })
  test("the edge is where the loss leaves the share, never before the minimum", () => {
    expect(edgeBracket(grid(1.5, 1, 1.02, 1.08), 0.05)).toMatchObject({ low: 1e-3, high: 3e-3 })
    const part = (Math.sqrt(0.05) - Math.sqrt(0.02)) / (Math.sqrt(0.08) - Math.sqrt(0.02))
    expect(edgeBracket(grid(1.5, 1, 1.02, 1.08), 0.05).rate).toBeCloseTo(1e-3 * 3 ** part, 9)
    expect(edgeBracket(grid(1, 1, 1, 1), 0.05)).toMatchObject({ low: 3e-3, high: Number.POSITIVE_INFINITY, rate: null })
    expect(edgeBracket(grid(1, 1, Number.NaN, 1), 0.05)).toMatchObject({ low: 3e-4, high: 1e-3, rate: null })
  })
  test("the regime of a rate follows from the edge alone", () => {
    const edge = { low: 3e-4, high: 1e-3 }
    expect([1e-5, 9e-5, 2e-4, 1e-3].map((rate) => regimeOf(rate, edge))).toEqual([
      "far below",
      "far below",
      "near",
      "beyond",
    ])
    expect(regimeOf(1e-4, null)).toBe("unknown")
    expect(regimeOf(1e-3, { low: 1e-3, high: Number.POSITIVE_INFINITY })).toBe("unknown")
  })
})
