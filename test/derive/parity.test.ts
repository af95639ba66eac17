import fc from "fast-check"
import { expect, test } from "vitest"
import { later, meet, Parity } from "../../src/derive/parity.js"

const bases = fc.subarray(["A", "Aᵀ", "W1", "Z"]).map((names) => [...names].sort().join())
const parity = fc.tuple(bases, bases).map(([rows, columns]) => Parity.of(rows, columns))

test("parities are a group in which each is its own inverse", () => {
  fc.assert(
    fc.property(parity, parity, parity, (x, y, z) => {
      expect(x.plus(y)).toBe(y.plus(x))
      expect(x.plus(y).plus(z)).toBe(x.plus(y.plus(z)))
      expect(x.plus(Parity.EVEN)).toBe(x)
      expect(x.plus(x)).toBe(Parity.EVEN)
    }),
  )
})

test("a sum is odd in what exactly one of the two is odd in, along rows and along columns", () => {
  const odd = (of: string, base: string) => of.split(",").includes(base)
  fc.assert(
    fc.property(parity, parity, fc.constantFrom("A", "Aᵀ", "W1", "Z"), (x, y, base) => {
      const sum = x.plus(y)
      expect(odd(sum.rows, base)).toBe(odd(x.rows, base) !== odd(y.rows, base))
      expect(odd(sum.columns, base)).toBe(odd(x.columns, base) !== odd(y.columns, base))
    }),
  )
})

test("transposing swaps rows and columns, twice gives the same, and goes through sums", () => {
  fc.assert(
    fc.property(parity, parity, (x, y) => {
      expect([x.transpose().rows, x.transpose().columns]).toEqual([x.columns, x.rows])
      expect(x.transpose().transpose()).toBe(x)
      expect(x.plus(y).transpose()).toBe(x.transpose().plus(y.transpose()))
    }),
  )
})

/** Bases of a random matrix's first and later vectors beside others. */
const finer = fc.subarray(["B", "G", later("G"), "H", later("H")]).map((names) => [...names].sort().join())

test("what is told less finely is never told less aligned", () => {
  fc.assert(
    fc.property(finer, finer, fc.integer({ min: 1, max: 4 }), (x, y, most) => {
      const [p, q] = [x, y].map((bases) => Parity.of(bases, "")) as [Parity, Parity]
      const joined = meet(p.within(most).rows, q.within(most).rows)
      if (x === y) expect(joined).not.toBe("independent")
      const sum = p.plus(q)
      const joinedSum = p.within(most).plus(q)
      expect(meet(sum.rows, joinedSum.rows)).not.toBe("independent")
    }),
  )
})
