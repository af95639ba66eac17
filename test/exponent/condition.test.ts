import fc from "fast-check"
import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { Condition } from "../../src/exponent/condition.js"
import { formatCondition, parseCondition } from "../../src/exponent/grammar.js"
import type { Constraint } from "../../src/exponent/system.js"

const small = fc.integer({ min: -2, max: 2 })
const constraint = fc
  .tuple(small, small, small, fc.constantFrom("<=" as const, "==" as const, "<" as const))
  .map(([x, y, one, relation]): Constraint => {
    const form = Affine.symbol("x").times(x).plus(Affine.symbol("y").times(y)).plus(Affine.constant(one))
    return { form, relation }
  })
const set = fc
  .array(fc.array(constraint, { maxLength: 4 }), { minLength: 1, maxLength: 2 })
  .map((pieces) => Condition.any(pieces))
const domain = fc.array(
  constraint.filter(({ relation }) => relation === "<="),
  { maxLength: 3 },
)

test("a set as it is said of a domain is the same there, by no more constraints", () => {
  fc.assert(
    fc.property(set, domain, (given, assumed) => {
      const said = given.within(assumed)
      const there = Condition.all(assumed)
      expect(said.and(there).equals(given.and(there))).toBe(true)
      said.pieces.forEach((piece, i) => {
        for (const each of piece) expect(given.pieces[i]).toContain(each)
      })
    }),
  )
})

test("bounds that a domain puts on what is left of an equality are not said", () => {
  // cB = 1/2 - 2 cA - 2 d, so that d <= 2 is 2 cA + cB >= -7/2.
  const said = parseCondition("2 * cA + cB + 2 * d == 1/2 and cB <= 1/2 and 2 * cA + cB >= -7/2")
  const assumed = parseCondition("d >= 0 and d <= 2").pieces[0]!
  expect(formatCondition(said.within(assumed))).toBe("2 * cA + cB + 2 * d == 1/2 and cB <= 1/2")
})
