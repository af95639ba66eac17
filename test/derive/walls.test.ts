import fc from "fast-check"
import { expect, test } from "vitest"
import { type Cell, explore, type Region } from "../../src/derive/cell.js"
import { isZeroForm } from "../../src/derive/graded.js"
import type { Recursion } from "../../src/derive/recursion.js"
import { openAtWalls } from "../../src/derive/walls.js"
import { Affine } from "../../src/exponent/affine.js"
import { affine, point } from "../arbitraries.js"

const SYMBOLS = ["c", "a0", "rho"]

/** A reading whose one quantity grows by the largest of some forms where that is above 0. */
function growing(forms: readonly Affine[], cell: Cell): Recursion {
  const most = forms.reduce((x, y) => (cell.compare(x, y) >= 0 ? x : y))
  const growth = cell.compare(most, Affine.ZERO) > 0 ? most : Affine.ZERO
  return { growth: { zB: growth } } as unknown as Recursion
}

const isIn = ({ where }: Region<Recursion>, at: ReadonlyMap<string, Affine>) =>
  where.every(({ form, relation }) => {
    const value = form.substitute(at).constant.compare(0)
    return relation === "<" ? value < 0 : relation === "==" ? value === 0 : value <= 0
  })

test("regions opened at their walls still cover everything, and where nothing grows no region says that it does", () => {
  fc.assert(
    fc.property(
      fc.array(affine, { minLength: 1, maxLength: 3 }),
      fc.array(point, { minLength: 5, maxLength: 5 }),
      (forms, points) => {
        const opened = openAtWalls(explore([], SYMBOLS, (cell) => growing(forms, cell))!)
        for (const at of points) {
          const values = forms.map((form) => form.substitute(at).constant.valueOf())
          const exact = Math.max(0, ...values)
          const held = opened.filter((region) => isIn(region, at))
          expect(held.length).toBeGreaterThan(0)
          for (const { result } of held) {
            const growth = result.growth.zB!
            expect(growth.substitute(at).constant.valueOf()).toBeCloseTo(exact, 12)
            if (exact === 0) expect(isZeroForm(growth)).toBe(true)
          }
        }
      },
    ),
    // Shrinking would explore thousands of subdivisions.
    { numRuns: 100, endOnFailure: true },
  )
})
