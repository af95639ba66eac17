import fc from "fast-check"
import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { Cell } from "../../src/derive/cell.js"
import { isZeroForm } from "../../src/derive/graded.js"
import { recursion, sizeAt } from "../../src/derive/recursion.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"
import { stepped } from "./stepped.js"

const GROWING = ["sgd-init-a", "sgd-init-b", "momentum-init-a", "toy-init-a", "toy-init-b", "weight-decay"]

/** Rates on a coarse grid, most of them above what the schemes bear; walls and corners are among them. */
const rate = fc.integer({ min: -8, max: 6 }).map((eighths) => new Fraction(eighths, 4))

/** More steps than are listed, fewer than a transient without a longest length may have. */
const STEPS = 24

test("a predicted size is what stepping shows where nothing grows, and no more than that where something does", () => {
  let growing = 0
  fc.assert(
    fc.property(fc.constantFrom(...GROWING), fc.tuple(rate, rate), (name, [first, second]) => {
      const definition = schemeNamed(name)
      const { symbols } = scheme(definition)
      const point = new Map(symbols.map((symbol, i) => [symbol, i === 0 ? first : second]))
      const found = recursion(scheme(definition), new Cell(point))
      fc.pre(found !== null)
      const values = Object.fromEntries([...point].map(([symbol, value]) => [symbol, value.toFraction()]))
      const { steps, repeats } = stepped(definition, values, STEPS)
      for (const quantity of Object.keys(found!.growth)) {
        const moves = !isZeroForm(found!.growth[quantity]!)
        growing += moves ? 1 : 0
        for (let t = 1; t <= STEPS; t++) {
          if (t > steps.length && !repeats) break
          const seen = steps[Math.min(t, steps.length) - 1]![quantity]!
          const said = sizeAt(found!, quantity, t)?.at(point) ?? null
          if (seen === null || said === null) expect(said, `${quantity} at t = ${t}`).toBe(seen)
          else if (moves) expect(said.lte(seen), `${quantity} at t = ${t}: ${said} but ${seen}`).toBe(true)
          else expect(said.toFraction(), `${quantity} at t = ${t}`).toBe(seen.toFraction())
        }
      }
    }),
    { numRuns: 60 },
  )
  expect(growing).toBeGreaterThan(0)
})

test("gradient descent from Init[A] above c = -1/2 gains 4 c + 2 in every two steps, as B and A drive one another", () => {
  // γ[B] becomes c - 1/2 + γ[zA] and γ[zA] becomes c + 3/2 + γ[B]: either gains 2 c + 1 in two steps, their product
  // both.
  const point = new Map([["c", new Fraction(0)]])
  const { growth, period } = recursion(scheme(schemeNamed("sgd-init-a")), new Cell(point))!
  expect(growth.zB!.times(new Fraction(2, period)).at(point).toFraction()).toBe("2")
})
