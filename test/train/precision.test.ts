import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import fc from "fast-check"
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus"
import { describe, expect, test } from "vitest"
import { FORMATS, type Format, nearest, PRECISIONS, type PrecisionName, stochastic } from "../../src/train/precision.js"

/** The value of a code, by the formats' definition: sign, exponent with a bias, significand. */
function decode(code: number, bits: number, significand: number): number {
  const exponents = bits - 1 - significand
  const sign = code >>> (bits - 1) === 1 ? -1 : 1
  const exponent = (code >>> significand) & (2 ** exponents - 1)
  const part = code & (2 ** significand - 1)
  const bias = 2 ** (exponents - 1) - 1
  if (bits === 8 ? (code & 0x7f) === 0x7f : exponent === 2 ** exponents - 1)
    return bits === 8 || part > 0 ? Number.NaN : sign * Number.POSITIVE_INFINITY
  if (exponent === 0) return sign * part * 2 ** (1 - bias - significand)
  return sign * (1 + part / 2 ** significand) * 2 ** (exponent - bias)
}

/** The next number towards an infinity, in float64 or float32. */
function next(x: number, up: boolean, bits: 64 | 32): number {
  const view = new DataView(new ArrayBuffer(8))
  if (bits === 64) {
    view.setFloat64(0, x)
    view.setBigInt64(0, view.getBigInt64(0) + (up === x > 0 ? 1n : -1n))
    return view.getFloat64(0)
  }
  view.setFloat32(0, x)
  view.setInt32(0, view.getInt32(0) + (up === x > 0 ? 1 : -1))
  return view.getFloat32(0)
}

interface Layout {
  readonly name: PrecisionName
  readonly bits: 8 | 16
  readonly significand: number
  /** The first code that is not finite. */
  readonly end: number
  readonly given: 64 | 32
}

const LAYOUTS: readonly Layout[] = [
  { name: "float16", bits: 16, significand: 10, end: 0x7c00, given: 64 },
  { name: "bfloat16", bits: 16, significand: 7, end: 0x7f80, given: 32 },
  { name: "e4m3", bits: 8, significand: 3, end: 0x7f, given: 32 },
]

describe.each(LAYOUTS)("$name", ({ name, bits, significand, end, given }) => {
  const value = (code: number) => decode(code, bits, significand)

  test("rounds as numpy and ml_dtypes do, bit for bit", () => {
    const bytes = gunzipSync(readFileSync(new URL(`rounding/${name}.gz`, import.meta.url)))
    const differences = bits === 8 ? new Uint8Array(bytes) : new Uint16Array(new Uint8Array(bytes).buffer)
    const positive = Array.from({ length: end }, (_, code) => {
      const [v, below] = [value(code), value(code - 1)]
      const middle = (v + (code + 1 === end ? 2 * v - below : value(code + 1))) / 2
      return [v, middle, next(middle, false, given), next(middle, true, given)]
    }).flat()
    const inputs = [...positive, ...positive.map((x) => -x), Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, NaN]
    expect(differences.length).toBe(inputs.length)
    const round = nearest(FORMATS[name])
    const wrong = inputs.filter((x, i) => {
      const magnitude = Math.floor((i % positive.length) / 4)
      const base = i >= 2 * positive.length ? 0 : i < positive.length ? magnitude : magnitude + 2 ** (bits - 1)
      return !Object.is(round(x), value((base + differences[i]!) % 2 ** bits))
    })
    expect(wrong).toEqual([])
  })

  test("every code's value is its own rounding, also stochastically", () => {
    const [round, byChance] = [nearest(FORMATS[name]), stochastic(FORMATS[name], () => 0)]
    for (let code = 0; code < 2 ** bits; code++) {
      const v = value(code)
      if (!Object.is(round(v), v) || !Object.is(byChance(v), v)) expect.fail(`code ${code}, value ${v}`)
    }
    expect(value(end - 1)).toBe(FORMATS[name].max)
    for (const x of [Number.POSITIVE_INFINITY, 1e300, FORMATS[name].max * 1.5])
      expect([round(x), round(-x)]).toEqual([FORMATS[name].beyond, -FORMATS[name].beyond])
  })
})

/** Any float64, and numbers about the format's own digits, where ties and edges are. */
const numbers = ({ digits, least, most }: Format) =>
  fc.oneof(
    fc.double(),
    fc
      .tuple(
        fc.integer({ min: -(2 ** (digits + 3)), max: 2 ** (digits + 3) }),
        fc.integer({ min: least - digits - 4, max: most }),
      )
      .map(([k, e]) => k * 2 ** e),
  )

test("float32 is Math.fround", () => {
  const round = nearest(FORMATS.float32)
  fc.assert(
    fc.property(numbers(FORMATS.float32), (x) => Object.is(round(x), Math.fround(x))),
    { numRuns: 20_000 },
  )
})

test("float64 is left alone", () => {
  const round = nearest(FORMATS.float64)
  fc.assert(fc.property(fc.double(), (x) => Object.is(round(x), x)))
})

test("float64 is rounded once, not by way of float32", () => {
  // Just above the midpoint of 1 and its successor, by less than float32 sees.
  for (const name of ["bfloat16", "float16", "e4m3"] as const) {
    const ulp = 2 ** (1 - FORMATS[name].digits)
    expect(nearest(FORMATS[name])(1 + ulp / 2 + 2 ** -45)).toBe(1 + ulp)
    expect(nearest(FORMATS[name])(1 + ulp / 2)).toBe(1)
  }
})

describe.each(PRECISIONS.filter((name) => name !== "float64"))("rounding to %s", (name) => {
  const format = FORMATS[name]
  const round = nearest(format)
  /** The weight of the last digit at x. */
  const ulp = (x: number) => {
    let exponent = Math.floor(Math.log2(Math.abs(x)))
    if (2 ** exponent > Math.abs(x)) exponent--
    if (2 ** (exponent + 1) <= Math.abs(x)) exponent++
    return 2 ** (Math.max(exponent, format.least) - format.digits + 1)
  }

  test("is idempotent, odd, monotone and never off by more than half the last digit", () => {
    fc.assert(
      fc.property(numbers(format), numbers(format), (x, y) => {
        const r = round(x)
        expect(round(r)).toBe(r)
        expect(round(-x)).toBe(-r)
        if (x <= y && !Number.isNaN(r) && !Number.isNaN(round(y))) expect(r).toBeLessThanOrEqual(round(y))
        if (Number.isFinite(r) && x !== 0) expect(Math.abs(r - x)).toBeLessThanOrEqual(ulp(x) / 2)
        if (!Number.isFinite(r) && !Number.isNaN(x)) expect(Math.abs(x)).toBeGreaterThan(format.max)
      }),
      { numRuns: 5000 },
    )
  })

  test("by chance takes one of the two neighbours, with the exact mean", () => {
    const levels = 4096
    fc.assert(
      fc.property(numbers(format), (x) => {
        fc.pre(Math.abs(x) <= format.max) // beyond it the upper neighbour is infinite
        let count = 0
        const each = stochastic(format, () => count++ / levels)
        const values = Array.from({ length: levels }, () => each(x))
        const taken = [...new Set(values)]
        expect(taken.length).toBeLessThanOrEqual(2)
        for (const v of taken) {
          expect(round(v)).toBe(v)
          expect(Math.abs(v - x)).toBeLessThanOrEqual(ulp(x))
        }
        // An equidistant stream gives the probability to one part in `levels`.
        const [first = 0] = taken
        const mean = first + values.reduce((sum, v) => sum + (v - first), 0) / levels
        expect(Math.abs(mean - x)).toBeLessThanOrEqual(ulp(x) / levels)
      }),
      { numRuns: 100 },
    )
  })

  test("by chance with a seeded generator has the mean x within five standard errors", () => {
    const generator = xoroshiro128plus(5)
    const each = stochastic(format, () => (generator.next() >>> 0) / 2 ** 32)
    const count = 20_000
    for (const part of [0.1, 0.5, 0.93]) {
      const x = 1 + part * 2 ** (1 - format.digits)
      let sum = 0
      for (let i = 0; i < count; i++) sum += each(x) === 1 ? 0 : 1
      expect(Math.abs(sum / count - part)).toBeLessThan(5 * Math.sqrt((part * (1 - part)) / count))
    }
  })
})
