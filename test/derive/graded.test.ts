import fc from "fast-check"
import { Fraction } from "fraction.js"
import { describe, expect, test } from "vitest"
import { ACTIVATIONS } from "../../src/derive/activation.js"
import { Cell } from "../../src/derive/cell.js"
import { Graded, type ParityPart } from "../../src/derive/graded.js"
import { Parity } from "../../src/derive/parity.js"
import { lead, sizeOf } from "../../src/derive/size.js"
import { Affine } from "../../src/exponent/affine.js"

const BASES = ["A", "B", "W"]
const bases = fc.subarray(BASES).map((names) => names.join())
const parity = fc.tuple(bases, bases).map(([rows, columns]) => Parity.of(rows, columns))
const eighths = (from: number, to: number) => fc.integer({ min: 8 * from, max: 8 * to }).map((k) => new Fraction(k, 8))
const part = fc
  .tuple(parity, eighths(-2, 2))
  .map(([parity, value]): ParityPart => ({ parity, size: sizeOf(Affine.constant(value)) }))
const cell = () => new Cell(new Map())
/** Tensors by their parts, zero included. */
const tensor = fc.array(part, { maxLength: 4 }).map((parts) => Graded.of(cell(), parts))
const nonzero = tensor.filter(({ isZero }) => !isZero)

/** γ as a number, −∞ for the zero tensor. */
function exponent(of: Graded): number {
  const size = of.size(cell())
  return size === null ? Number.NEGATIVE_INFINITY : lead(size).constant.valueOf()
}

/** The sign that a function odd in these bases takes when bases are flipped. */
function sign(names: string, flipped: readonly string[]): number {
  return names === "" ? 1 : names.split(",").reduce((product, name) => (flipped.includes(name) ? -product : product), 1)
}

describe("a parity says how a part's sign answers to flipped bases", () => {
  test("the sign of a product is the product of the signs, on rows and on columns", () => {
    fc.assert(
      fc.property(parity, parity, fc.subarray(BASES), (x, y, flipped) => {
        const sum = x.plus(y)
        expect(sign(sum.rows, flipped)).toBe(sign(x.rows, flipped) * sign(y.rows, flipped))
        expect(sign(sum.columns, flipped)).toBe(sign(x.columns, flipped) * sign(y.columns, flipped))
      }),
    )
  })

  test("parities are a group of elements of order two; equal ones are one object; transposing swaps the sides", () => {
    fc.assert(
      fc.property(parity, parity, parity, (x, y, z) => {
        expect(x.plus(y).plus(z)).toBe(x.plus(y.plus(z)))
        expect(x.plus(y)).toBe(y.plus(x))
        expect(x.plus(x)).toBe(Parity.EVEN)
        expect(x.plus(Parity.EVEN)).toBe(x)
        expect(x.plus(y).transpose()).toBe(x.transpose().plus(y.transpose()))
        expect(x.transpose().transpose()).toBe(x)
      }),
    )
  })
})

describe("graded tensors are a semiring under sums and entrywise products", () => {
  test("its laws", () => {
    fc.assert(
      fc.property(tensor, tensor, tensor, (x, y, z) => {
        const at = cell()
        expect(x.plus(at, y).key).toBe(y.plus(at, x).key)
        expect(x.plus(at, y).plus(at, z).key).toBe(x.plus(at, y.plus(at, z)).key)
        expect(x.plus(at, x).key).toBe(x.key)
        expect(x.multiply(at, y).key).toBe(y.multiply(at, x).key)
        expect(x.multiply(at, y).multiply(at, z).key).toBe(x.multiply(at, y.multiply(at, z)).key)
        expect(x.multiply(at, y.plus(at, z)).key).toBe(x.multiply(at, y).plus(at, x.multiply(at, z)).key)
        expect(x.multiply(at, Graded.even(sizeOf(Affine.ZERO))).key).toBe(x.key)
        expect(x.multiply(at, Graded.ZERO).isZero).toBe(true)
      }),
    )
  })

  test("the size of a sum is the larger, of a product the sum", () => {
    fc.assert(
      fc.property(tensor, tensor, (x, y) => {
        expect(exponent(x.plus(cell(), y))).toBe(Math.max(exponent(x), exponent(y)))
        expect(exponent(x.multiply(cell(), y))).toBe(exponent(x) + exponent(y))
      }),
    )
  })
})

describe("products over an index", () => {
  /** The law of large numbers for parts of one parity, the central limit for others. */
  const growth = (columns: string, rows: string) => Affine.constant(columns === rows ? 1 : "1/2")

  test("are associative, distribute over sums, and are transposed in the other order", () => {
    fc.assert(
      fc.property(tensor, tensor, tensor, (x, y, z) => {
        const at = cell()
        const times = (one: Graded, other: Graded) => one.times(at, other, growth)
        expect(times(times(x, y), z).key).toBe(times(x, times(y, z)).key)
        expect(times(x, y.plus(at, z)).key).toBe(times(x, y).plus(at, times(x, z)).key)
        expect(times(x, y).transpose().key).toBe(times(y.transpose(), x.transpose()).key)
      }),
    )
  })

  test("exceed the largest terms by a half at least and one at most; aligned pairs are the whole where one leads", () => {
    fc.assert(
      fc.property(nonzero, nonzero, (x, y) => {
        const at = cell()
        const gain = exponent(x.times(at, y, growth)) - exponent(x) - exponent(y)
        expect(gain).toBeGreaterThanOrEqual(1 / 2)
        expect(gain).toBeLessThanOrEqual(1)
        const aligned = x.aligned(at, y, Affine.constant(1))
        expect(exponent(aligned)).toBeLessThanOrEqual(exponent(x.times(at, y, growth)))
        if (gain > 1 / 2) expect(exponent(aligned)).toBe(exponent(x.times(at, y, growth)))
      }),
    )
  })
})

/** Parts by parity: the best of all subsets with an odd or even number of parts, each cost the sum of its gaps. */
function bestSubsets(parts: readonly ParityPart[], odd: boolean): Map<string, number> {
  const best = new Map<string, number>()
  for (let subset = 0; subset < 2 ** parts.length; subset++) {
    const chosen = parts.filter((_, i) => (subset >> i) & 1)
    if ((chosen.length % 2 === 1) !== odd) continue
    const { key } = chosen.reduce((sum, { parity }) => sum.plus(parity), Parity.EVEN)
    const value = chosen.reduce((sum, { size }) => sum + lead(size).constant.valueOf(), 0)
    best.set(key, Math.max(best.get(key) ?? Number.NEGATIVE_INFINITY, value))
  }
  return best
}

const byParity = (of: Graded) =>
  new Map(of.parts.map(({ parity: { key }, size }) => [key, lead(size).constant.valueOf()]))

test("products of an odd or even number of parts are the best of all subsets", () => {
  fc.assert(
    fc.property(nonzero, fc.constantFrom("odd" as const, "even" as const), (x, parity) => {
      const gaps = x.normalised(cell())
      expect(exponent(gaps)).toBe(0)
      expect(byParity(gaps.products(cell(), parity))).toEqual(bestSubsets(gaps.parts, parity === "odd"))
    }),
  )
})

describe("activations", () => {
  const names = fc.constantFrom(...(Object.keys(ACTIVATIONS) as (keyof typeof ACTIVATIONS)[]))
  const size = (x: number) => ({ relu: x, silu: x, gelu: x, tanh: Math.min(x, 0) })

  test("values have the size of their argument, tanh's at most 1; slopes are O(1); zero stays zero", () => {
    fc.assert(
      fc.property(names, tensor, (name, x) => {
        const { value, slope } = ACTIVATIONS[name]
        expect(exponent(value(x, cell()))).toBe(size(exponent(x))[name])
        expect(exponent(slope(x, cell()))).toBe(0)
      }),
    )
  })

  test("a change has the size of its argument's, whatever it starts from; none is none", () => {
    fc.assert(
      fc.property(names, tensor, tensor, (name, change, at) => {
        const { change: changed } = ACTIVATIONS[name]
        expect(exponent(changed(change, at, cell()))).toBe(size(exponent(change))[name])
      }),
    )
  })

  test("tanh is odd: only products of an odd number of parts; ReLU is x/2 and |x|/2: the parts and even products", () => {
    fc.assert(
      fc.property(nonzero, (x) => {
        const top = exponent(x)
        const gaps = x.normalised(cell())
        const odd = bestSubsets((top > 0 ? gaps : x).parts, true)
        expect(byParity(ACTIVATIONS.tanh.value(x, cell()))).toEqual(odd)
        const parts = bestSubsets(gaps.parts, false)
        for (const [key, gap] of byParity(gaps))
          parts.set(key, Math.max(parts.get(key) ?? Number.NEGATIVE_INFINITY, gap))
        const shifted = new Map([...parts].map(([key, gap]) => [key, gap + top]))
        expect(byParity(ACTIVATIONS.relu.value(x, cell()))).toEqual(shifted)
      }),
    )
  })
})
