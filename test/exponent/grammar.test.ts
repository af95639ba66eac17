import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Affine } from "../../src/exponent/affine.js"
import { Condition } from "../../src/exponent/condition.js"
import {
  formatAffine,
  formatCondition,
  formatExponent,
  parseAffine,
  parseCondition,
  parseExponent,
  toTex,
} from "../../src/exponent/grammar.js"
import { solveFor } from "../../src/exponent/solve.js"
import { InputError } from "../../src/inputError.js"
import { affine, maxPlus } from "../arbitraries.js"

test("exponents survive printing and parsing", () => {
  fc.assert(fc.property(maxPlus, (x) => void expect(parseExponent(formatExponent(x)).key).toBe(x.key)))
})

test("affine forms survive printing and parsing", () => {
  fc.assert(fc.property(affine, (x) => void expect(parseAffine(formatAffine(x)).key).toBe(x.key)))
})

const condition = fc
  .array(fc.array(fc.tuple(affine, fc.constantFrom("<=", "<", "==")), { maxLength: 2 }), { maxLength: 2 })
  .map((pieces) =>
    Condition.NEVER.or(
      ...pieces.map((piece) => Condition.ALWAYS.and(...piece.map(([f, r]) => Condition.where(f, r as "<=")))),
    ),
  )

test("conditions survive printing and parsing as sets", () => {
  fc.assert(
    fc.property(condition, (x) => void expect(parseCondition(formatCondition(x)).equals(x)).toBe(true)),
    { numRuns: 40 },
  )
})

test("a set and its complement share no point and miss none", () => {
  fc.assert(
    fc.property(condition, (x) => {
      expect(x.and(x.not()).isNever).toBe(true)
      expect(Condition.ALWAYS.isWithin(x.or(x.not()))).toBe(true)
    }),
    { numRuns: 40 },
  )
})

test("a solution of a linear equation, substituted back, satisfies it", () => {
  fc.assert(
    fc.property(affine, (form) => {
      const [symbol] = form.symbols
      fc.pre(symbol !== undefined)
      expect(form.substitute(new Map([[symbol!, solveFor(form, symbol!)]])).key).toBe(Affine.ZERO.key)
    }),
    { numRuns: 40 },
  )
})

describe("text", () => {
  test.each([
    ["0.25", "1/4"],
    ["-inf", "-inf"],
    ["max(c + 1, 0, c - 5)", "max(0, c + 1)"],
    ["2*(c + 1)/4", "1/2 * c + 1/2"],
  ])("%s is %s", (given, printed) => expect(parseExponent(given).key).toBe(parseExponent(printed).key))

  test.each([
    ["2*c + 1 <= 0", "c <= -1/2"],
    ["cA + cB + 1 == 0 and cB <= 0", "cA + cB == -1 and cA >= -1"],
    ["c <= 0 and c >= 0", "c == 0"],
    ["c < 0 and c > 0", "never"],
    ["max(c, 2*c + 1) <= 0 and c <= 5", "c <= -1/2"],
  ])("%s is printed as %s", (given, printed) => expect(formatCondition(parseCondition(given))).toBe(printed))

  test.each(["c foo", "1e-3", "c*c", "min(0, c)", "c^2", "-Infinity", "import(1)", "c; d", ""])(
    "%j is refused",
    (text) => expect(() => parseExponent(text)).toThrow(InputError),
  )

  test("TeX", () => expect(toTex("cA + rho/3 - 1/2")).toBe("c_{A}+\\frac{\\rho}{3}-\\frac{1}{2}"))
})
