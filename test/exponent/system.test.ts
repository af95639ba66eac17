import fc from "fast-check"
import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { type Constraint, implies, irredundant } from "../../src/exponent/system.js"

const coefficient = fc.integer({ min: -3, max: 3 })
const form = fc
  .tuple(coefficient, coefficient, coefficient, fc.constantFrom(1, 2))
  .map(([x, y, constant, scale]) =>
    Affine.symbol("x").times(x).plus(Affine.symbol("y").times(y)).plus(Affine.constant(constant)).times(scale),
  )
const relation = fc.constantFrom<Constraint["relation"]>("<=", "<", "==")
const forms = fc.array(form, { maxLength: 12 })

/** Leaves out, one after the other, what all others that are left imply. */
function oneByOne(constraints: readonly Constraint[]): readonly Constraint[] {
  return constraints.reduce((kept, candidate) => {
    const others = kept.filter((c) => c !== candidate)
    return implies(others, candidate) ? others : kept
  }, constraints)
}

test("what is left of inequalities of one kind is what leaving out one after the other leaves", () => {
  fc.assert(
    fc.property(forms, fc.constantFrom("<=" as const, "<" as const), (of, kind) => {
      const constraints = of.map((each): Constraint => ({ form: each, relation: kind }))
      expect(irredundant(constraints)).toEqual(oneByOne(constraints))
    }),
    { numRuns: 300 },
  )
})

test("what is left of any constraints implies all of them, and none of it the others imply", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ form, relation }), { maxLength: 8 }), (constraints) => {
      const left = irredundant(constraints)
      expect(constraints.every((c) => implies(left, c))).toBe(true)
      for (const c of left)
        expect(
          implies(
            left.filter((other) => other !== c),
            c,
          ),
        ).toBe(false)
    }),
  )
})

test("several walls that meet in the point where a segment leaves the set are told from what only touches there", () => {
  const wall = (x: number, y: number): Constraint => ({
    form: Affine.symbol("x").times(x).plus(Affine.symbol("y").times(y)),
    relation: "<=",
  })
  // The quadrant x, y ≤ 0: x + y ≤ 0 and x + 2y ≤ 0 touch it in its corner.
  const [right, upper] = [wall(1, 0), wall(0, 1)]
  expect(irredundant([wall(1, 1), right, wall(1, 2), upper])).toEqual([right, upper])
  // Of equal ones the last is kept.
  expect(irredundant([wall(2, 0), right, upper, wall(0, 3)])).toEqual([right, wall(0, 3)])
})
