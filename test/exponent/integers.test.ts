import fc from "fast-check"
import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { LARGE, SMALL, TooLarge } from "../../src/exponent/integers.js"
import { deepest, type Inequality, interiorPoint } from "../../src/exponent/simplex.js"
import { affine } from "../arbitraries.js"

const systems = fc.array(fc.record({ form: affine, strict: fc.boolean() }), { maxLength: 6 })
const texts = (point: ReturnType<typeof interiorPoint>) =>
  point && [...point].map(([name, q]) => `${name}=${q.toFraction()}`)

test("small integers give the very point that large ones give", () => {
  fc.assert(
    fc.property(systems, (system) => void expect(texts(deepest(system, SMALL))).toEqual(texts(deepest(system, LARGE)))),
  )
})

test("where small integers do not reach, large ones are used", () => {
  const huge = 2n ** 61n - 1n
  const c = Affine.symbol("c")
  // huge · c = 3 and c >= 0, as inequalities: the point is 3 / huge.
  const form = c.times(huge).plus(Affine.constant(-3))
  const system: Inequality[] = [
    { form, strict: false },
    { form: form.negated, strict: false },
    { form: c.negated, strict: true },
  ]
  expect(() => deepest(system, SMALL)).toThrow(TooLarge)
  expect(texts(interiorPoint(system))).toEqual([`c=3/${huge}`])
})

test("a small integer that would round is refused, and operations are those of large ones", () => {
  const small = fc.integer({ min: -(2 ** 40), max: 2 ** 40 })
  fc.assert(
    fc.property(small, small, (x, y) => {
      for (const operation of ["plus", "minus", "times", "gcd"] as const) {
        const exact = LARGE[operation](BigInt(x), BigInt(y))
        if (exact >= -(2n ** 53n) + 1n && exact <= 2n ** 53n - 1n) expect(BigInt(SMALL[operation](x, y))).toBe(exact)
        else expect(() => SMALL[operation](x, y)).toThrow(TooLarge)
      }
    }),
  )
  expect(() => SMALL.plus(Number.MAX_SAFE_INTEGER, 1)).toThrow(TooLarge)
})
