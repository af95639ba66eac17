import fc from "fast-check"
import { expect, test } from "vitest"
import { hasInteriorPoint, type Inequality, interiorPoint } from "../../src/exponent/simplex.js"
import { type Constraint, eliminate, isFeasible, witness } from "../../src/exponent/system.js"
import { affine, point } from "../arbitraries.js"

const holdsAt = ({ form, strict }: Inequality, at: ReadonlyMap<string, { n: bigint }>): boolean => {
  const value = form.at(at as never)
  return strict ? value.compare(0) < 0 : value.compare(0) <= 0
}
const inequality = fc.record({ form: affine, strict: fc.boolean() })

test("a point that is returned satisfies every inequality", () => {
  fc.assert(
    fc.property(fc.array(inequality, { minLength: 1, maxLength: 8 }), (system) => {
      const found = interiorPoint(system)
      if (found !== null) expect(system.every((constraint) => holdsAt(constraint, found))).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test("none is returned only if there is none: a system built around a point has a solution", () => {
  fc.assert(
    fc.property(fc.array(inequality, { minLength: 1, maxLength: 8 }), point, (system, at) => {
      const numbers = new Map([...at].map(([name, form]) => [name, form.constant]))
      const around = system.map((constraint) =>
        holdsAt(constraint, numbers) ? constraint : { form: constraint.form.times(-1), strict: false },
      )
      expect(around.every((constraint) => holdsAt(constraint, numbers))).toBe(true)
      expect(interiorPoint(around)).not.toBeNull()
    }),
    { numRuns: 500 },
  )
})

test("whether there is a point is answered as by the point, with equalities too", () => {
  const relation = fc.constantFrom("<=" as const, "<" as const, "==" as const)
  fc.assert(
    fc.property(
      fc.array(inequality, { maxLength: 8 }),
      fc.array(fc.record({ form: affine, relation }), { maxLength: 6 }),
      (system, constraints) => {
        expect(hasInteriorPoint(system)).toBe(interiorPoint(system) !== null)
        const found = witness(constraints)
        expect(isFeasible(constraints)).toBe(found !== null)
        if (found !== null) for (const each of constraints) expect(satisfies(each, found)).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})

function satisfies({ form, relation }: Constraint, at: NonNullable<ReturnType<typeof witness>>): boolean {
  const order = form.at(at).compare(0)
  return relation === "==" ? order === 0 : relation === "<" ? order < 0 : order <= 0
}

test("what is left after a symbol is eliminated holds where some value of it satisfies all", () => {
  const constraints = fc.array(fc.record({ form: affine, relation: fc.constantFrom("<=" as const, "<" as const) }), {
    minLength: 1,
    maxLength: 6,
  })
  fc.assert(
    fc.property(constraints, point, (system, at) => {
      const others = new Map([...at].filter(([name]) => name !== "c"))
      const section = (constraint: Constraint) => ({ ...constraint, form: constraint.form.substitute(others) })
      const left = eliminate(system, "c")
      expect(left.flatMap(({ form }) => form.symbols)).not.toContain("c")
      expect(isFeasible(left.map(section))).toBe(isFeasible(system.map(section)))
    }),
    { numRuns: 500 },
  )
})
