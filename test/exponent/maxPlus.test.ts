import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { MaxPlus } from "../../src/exponent/maxPlus.js"
import { affine, maxPlus, point } from "../arbitraries.js"

const same = (x: MaxPlus, y: MaxPlus) => expect(x.key).toBe(y.key)

describe("max-plus semiring laws", () => {
  const law = (name: string, holds: (x: MaxPlus, y: MaxPlus, z: MaxPlus) => unknown) =>
    test(name, () =>
      fc.assert(
        fc.property(maxPlus, maxPlus, maxPlus, (x, y, z) => void holds(x, y, z)),
        { numRuns: 60 },
      ),
    )

  law("max is commutative", (x, y) => same(MaxPlus.max(x, y), MaxPlus.max(y, x)))
  law("max is associative", (x, y, z) => same(MaxPlus.max(MaxPlus.max(x, y), z), MaxPlus.max(x, MaxPlus.max(y, z))))
  law("max is idempotent", (x) => same(MaxPlus.max(x, x), x))
  law("−∞ is neutral for max", (x) => same(MaxPlus.max(x, MaxPlus.NEGATIVE_INFINITY), x))
  law("plus is commutative", (x, y) => same(x.plus(y), y.plus(x)))
  law("plus is associative", (x, y, z) => same(x.plus(y).plus(z), x.plus(y.plus(z))))
  law("0 is neutral for plus", (x) => same(x.plus(MaxPlus.ZERO), x))
  law("−∞ absorbs", (x) => same(x.plus(MaxPlus.NEGATIVE_INFINITY), MaxPlus.NEGATIVE_INFINITY))
  law("plus distributes over max", (x, y, z) => same(x.plus(MaxPlus.max(y, z)), MaxPlus.max(x.plus(y), x.plus(z))))
  law("a square is twice the exponent", (x) => same(x.plus(x), x.times(2)))
  law("the order is that of max", (x, y) => expect(x.isAtMost(MaxPlus.max(x, y))).toBe(true))
})

test("dropping forms that nowhere lead changes no value", () => {
  fc.assert(
    fc.property(fc.array(affine, { minLength: 1, maxLength: 5 }), point, (forms, at) => {
      const naive = forms.map((form) => form.substitute(at).constant).reduce((x, y) => (x.compare(y) > 0 ? x : y))
      expect(
        MaxPlus.of(...forms)
          .substitute(at)
          .forms[0]!.constant.toFraction(),
      ).toBe(naive.toFraction())
    }),
  )
})

test("a form that is the max nowhere is dropped, one that is somewhere is kept", () => {
  const c = Affine.symbol("c")
  const middle = c.times("1/2").minus(Affine.constant(1))
  expect(MaxPlus.of(Affine.ZERO, c, middle).forms).toHaveLength(2)
  expect(MaxPlus.of(Affine.ZERO, c, middle.plus(Affine.constant(2))).forms).toHaveLength(3)
})
