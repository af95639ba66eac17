import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { censoredSlope } from "../../src/fit/censored.js"
import { sharedShape } from "../../src/fit/sharedShape.js"
import { gaussians } from "../../src/train/random.js"

/** Points of a + c (u² + s u³), u = x − t, on a grid about t. */
function curve(t: number, s: number, { a = 1, c = 0.02, noise = [] as readonly number[] } = {}) {
  return [-2, -1, 0, 1, 2].map((x, i) => {
    const u = x - t
    return { x, value: a + c * (u ** 2 + s * u ** 3) + (noise[i] ?? 0), weight: 1 }
  })
}
const places = fc.array(fc.double({ min: -0.5, max: 0.5, noNaN: true }), { minLength: 4, maxLength: 8 })

describe("curves of one shape", () => {
  test("the minima, their losses and no deviation are found, whatever the skew, the heights and the curvatures", () => {
    fc.assert(
      fc.property(places, fc.double({ min: -0.2, max: 0.2, noNaN: true }), (ts, s) => {
        const { minima, deviation } = sharedShape(ts.map((t, i) => curve(t, s, { a: i, c: 0.01 * (i + 1) })))
        for (const [i, minimum] of minima.entries()) {
          expect(minimum!.x).toBeCloseTo(ts[i]!, 3)
          expect(minimum!.least).toBeCloseTo(i, 5)
        }
        expect(deviation).toBeLessThan(1e-5)
      }),
      { numRuns: 50 },
    )
  })

  test("the standard error of a minimum is that of many draws", () => {
    const draws = Array.from({ length: 400 }, (_, k) => {
      const noise = gaussians(k, "shape", 30, 1e-3)
      return sharedShape(
        [0.4, 0.1, -0.2, -0.4, 0.2, 0].map((t, i) => curve(t, 0.1, { noise: [...noise.slice(5 * i, 5 * i + 5)] })),
      )
    })
    const found = draws.map(({ minima }) => minima[0]!.x - 0.4)
    const mean = found.reduce((sum, x) => sum + x, 0) / found.length
    const deviation = Math.sqrt(found.reduce((sum, x) => sum + (x - mean) ** 2, 0) / found.length)
    const error = 1e-3 * (draws.reduce((sum, { minima }) => sum + minima[0]!.sensitivity, 0) / draws.length)
    expect(Math.abs(mean)).toBeLessThan((4 * deviation) / 20)
    // The error is that at a known skew; what the skew's own error adds moves all curves alike.
    expect(deviation / error).toBeGreaterThan(0.9)
    expect(deviation / error).toBeLessThan(1.5)
    const noise = draws.reduce((sum, draw) => sum + draw.deviation! ** 2, 0) / draws.length
    expect(Math.sqrt(noise)).toBeCloseTo(1e-3, 4)
  })

  test("curves that fall to an end have no minimum inside; few points are a parabola's", () => {
    const falling = [-1, 0, 1].map((x) => ({ x, value: 1 - x, weight: 1 }))
    expect(sharedShape([falling]).minima).toEqual([null])
    const three = [-1, 0, 1].map((x) => ({ x, value: (x - 0.25) ** 2, weight: 1 }))
    const { minima, deviation } = sharedShape([three])
    expect(minima[0]!.x).toBeCloseTo(0.25, 4)
    expect(deviation).toBeNull()
  })
})

test("an interval is never shorter than known errors make it, and scatter comes on top", () => {
  const line = (error: number | undefined, scatter: number) =>
    censoredSlope(
      [0, 1, 2, 3].map((x) => ({ x, low: x + scatter * (-1) ** x, high: x + scatter * (-1) ** x, group: "", error })),
      0.95,
      1000,
    )!.interval
  const width = ({ low, high }: { low: number; high: number }) => high - low
  // The slope of least squares over 0, 1, 2, 3 has the error e / √5.
  expect(width(line(0.1, 0))).toBeCloseTo((2 * 1.962 * 0.1) / Math.sqrt(5), 3)
  expect(width(line(0.1, 1))).toBeCloseTo(width(line(undefined, 1)), 9)
})
