import fc from "fast-check"
import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"

/** Small rationals as exponents are, and such as no product of two is a safe integer. */
const rational = fc.oneof(
  fc.tuple(fc.integer({ min: -12, max: 12 }), fc.integer({ min: 1, max: 12 })),
  fc.tuple(fc.maxSafeInteger(), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
)
const fraction = rational.map(([n, d]) => new Fraction(n).div(d))
const form = fc
  .record({ constant: fraction, c: fraction, s: fraction })
  .map(({ constant, c, s }) =>
    Affine.constant(constant).plus(Affine.symbol("c").times(c)).plus(Affine.symbol("s").times(s)),
  )
const point = fc.record({ c: fraction, s: fraction }).map((values) => new Map(Object.entries(values)))

test("forms are in the order of their values, also of values that are nearly equal", () => {
  fc.assert(
    fc.property(form, form, point, fraction, (x, y, at, shift) => {
      const near = y.plus(Affine.constant(x.at(at).sub(y.at(at))))
      for (const other of [y, near, near.plus(Affine.constant(shift))])
        expect(Math.sign(x.compareAt(at, other))).toBe(x.at(at).compare(other.at(at)))
    }),
    { numRuns: 500 },
  )
})
