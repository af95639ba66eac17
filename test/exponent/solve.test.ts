import fc from "fast-check"
import nerdamer from "nerdamer"
import "nerdamer/Solve.js"
import { expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { formatAffine, parseAffine } from "../../src/exponent/grammar.js"
import { solveLinear } from "../../src/exponent/system.js"
import { affine } from "../arbitraries.js"

/** nerdamer is right on linear equations with a symbol, which is all that is asked of it here. */
test("a linear exponent equation is solved for a rate as nerdamer solves it", () => {
  fc.assert(
    fc.property(affine, fc.constantFrom("c", "a0", "rho"), (form, symbol) => {
      fc.pre(form.coefficient(symbol).n !== 0n)
      const [answer] = nerdamer(formatAffine(form)).solveFor(symbol) as unknown as { toString(): string }[]
      expect(formatAffine(solveLinear(form, symbol))).toBe(formatAffine(parseAffine(String(answer))))
    }),
  )
})

test("the solution makes the equation vanish", () => {
  fc.assert(
    fc.property(affine, fc.constantFrom("c", "a0", "rho"), (form, symbol) => {
      fc.pre(form.coefficient(symbol).n !== 0n)
      const solution = solveLinear(form, symbol)
      expect(form.substitute(new Map([[symbol, solution]])).key).toBe(Affine.ZERO.key)
      expect(solution.coefficient(symbol).n).toBe(0n)
    }),
  )
})
