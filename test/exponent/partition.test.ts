import fc from "fast-check"
import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { Condition } from "../../src/exponent/condition.js"
import { parseAffine } from "../../src/exponent/grammar.js"
import { allowedPolyhedron } from "../../src/exponent/partition.js"
import { type Constraint, holdsAt, isFeasible } from "../../src/exponent/system.js"

const side = (text: string): Constraint => ({ form: parseAffine(text), relation: "<=" })

const small = fc.integer({ min: -2, max: 2 })
const lines = fc.tuple(small, small, small).filter(([a, b]) => a !== 0 || b !== 0)
const formOf = ([a, b, c]: readonly [number, number, number]) =>
  Affine.symbol("x").times(a).plus(Affine.symbol("y").times(b)).plus(Affine.constant(c))

/** The plane cut by lines: on each side of each. */
function cellsOf(cuts: readonly Affine[]): Constraint[][] {
  return cuts
    .reduce<Constraint[][]>(
      (cells, form) =>
        cells.flatMap((cell) => [
          [...cell, { form, relation: "<=" }],
          [...cell, { form: form.negated, relation: "<=" }],
        ]),
      [[]],
    )
    .filter((cell) => isFeasible(cell.map(({ form }) => ({ form, relation: "<" }))))
}

/** A max of forms, each said on the cells where it leads: what it allows is at most what all forms allow together. */
test("the cells of a max allow the polyhedron of all its forms", () => {
  fc.assert(
    fc.property(fc.array(lines, { minLength: 1, maxLength: 3 }), fc.array(lines, { maxLength: 2 }), (of, cuts) => {
      const forms = of.map(formOf)
      const walls = forms.flatMap((x, i) => forms.slice(i + 1).map((y) => x.minus(y)))
      const asked = [...walls, ...cuts.map(formOf)].filter((form) => !form.isConstant)
      const cells = cellsOf(asked).map((where) => {
        const leads = (form: Affine) =>
          forms.every((other) => !isFeasible([...where, { form: form.minus(other), relation: "<" }]))
        return { where, allowed: [{ form: forms.find(leads)!, relation: "<=" as const }] }
      })
      const found = allowedPolyhedron(cells, [])
      const whole = Condition.all(forms.map((form) => ({ form, relation: "<=" })))
      if (found !== null) expect(found.equals(whole)).toBe(true)
      else expect(isFeasible(forms.map((form) => ({ form, relation: "<" })))).toBe(false)
    }),
    { numRuns: 100 },
  )
})

/** Whatever the cells allow, a polyhedron that is found is what they allow, point by point. */
test("what is found is what the cells allow", () => {
  const allowedOf = fc.option(lines, { freq: 3 })
  let found = 0
  fc.assert(
    fc.property(
      fc.array(lines, { minLength: 1, maxLength: 2 }),
      fc.array(allowedOf, { minLength: 4, maxLength: 4 }),
      (cuts, sides) => {
        const all = cellsOf(cuts.map(formOf)).map((where, i) => ({ where, line: sides[i % 4]! }))
        const cells = all.flatMap(({ where, line }) =>
          line === null ? [] : [{ where, allowed: [{ form: formOf(line), relation: "<=" as const }] }],
        )
        const polyhedron = allowedPolyhedron(
          cells,
          all.filter(({ line }) => line === null).map(({ where }) => where),
        )
        if (polyhedron === null) return
        found++
        const union = Condition.any(cells.map(({ where, allowed }) => [...where, ...allowed]))
        for (let x = -3; x <= 3; x++)
          for (let y = -3; y <= 3; y++) {
            const point = new Map([
              ["x", new Fraction(x)],
              ["y", new Fraction(y)],
            ])
            const isIn = ({ pieces }: Condition) => pieces.some((piece) => piece.every((each) => holdsAt(each, point)))
            expect(isIn(polyhedron)).toBe(isIn(union))
          }
      },
    ),
    { numRuns: 300 },
  )
  expect(found).toBeGreaterThan(20)
})

test("what follows from the domain is not said", () => {
  const domain = [side("x - 1")]
  const cells = [{ where: domain, allowed: [side("y"), side("x + y - 1")] }]
  expect(allowedPolyhedron(cells, [], domain)!.equals(Condition.all([side("y")]))).toBe(true)
})

test("a union that is no polyhedron is not taken for one, nor one that reaches outside", () => {
  const [left, right] = [[side("x")], [side("-x")]]
  const corner = [
    { where: left, allowed: [side("y")] },
    { where: right, allowed: [side("y + 1")] },
  ]
  expect(allowedPolyhedron(corner, [])).toBeNull()
  expect(allowedPolyhedron([{ where: left, allowed: [side("y")] }], [right])).toBeNull()
})
