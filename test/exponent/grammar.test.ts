import fc from "fast-check"
import { Fraction } from "fraction.js"
import mathjs from "mathjs/lib/browser/math.js"
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
} from "../../src/exponent/grammar.js"
import { holdsAt, solveLinear } from "../../src/exponent/system.js"
import { toTex } from "../../src/exponent/tex.js"
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
      expect(form.substitute(new Map([[symbol!, solveLinear(form, symbol!)]])).key).toBe(Affine.ZERO.key)
    }),
    { numRuns: 40 },
  )
})

describe("beside mathjs", () => {
  const math = mathjs.create({ number: "Fraction" })
  const scope = { c: math.fraction(2, 7), a0: math.fraction(-5, 3), rho: math.fraction(11, 13) }
  const point = new Map(Object.entries(scope).map(([name, value]) => [name, new Fraction(value)]))

  /** Texts of the grammar, of which some tokens are then lost, doubled or swapped for others. */
  const tokens = (texts: fc.Arbitrary<string>) =>
    fc
      .tuple(
        texts,
        fc.array(fc.tuple(fc.nat(), fc.constantFrom("", "(", ")", ",", "-", "*", "c", "2", "<", "=", "max(")), {
          maxLength: 2,
        }),
      )
      .map(([text, changes]) => {
        const all = text.split(/\b|(?<=[()])/)
        for (const [at, token] of changes) all[at % all.length] = token
        return all.join("")
      })

  /** What a text is read as, if it is read and names no symbol beyond the point's. */
  const reading = <T>(parse: (text: string) => T, text: string): T | null => {
    if ((text.match(/[a-z]\w*/g) ?? []).some((name) => !point.has(name) && !["max", "and", "or"].includes(name)))
      return null
    try {
      return parse(text)
    } catch (error) {
      if (error instanceof InputError) return null
      throw error
    }
  }

  test("every exponent that is read has mathjs's value", () => {
    const texts = tokens(
      fc.oneof(
        maxPlus.map(formatExponent),
        affine.map((form) => `2 * (${formatAffine(form)}) / 3`),
      ),
    )
    let read = 0
    fc.assert(
      fc.property(texts, (text) => {
        const element = reading(parseExponent, text)
        if (element === null) return
        read++
        const value = element.forms.map((form) => form.at(point)).reduce((x, y) => (x.compare(y) < 0 ? y : x))
        expect(new Fraction(math.evaluate(text, { ...scope })).equals(value), text).toBe(true)
      }),
      { numRuns: 500 },
    )
    expect(read).toBeGreaterThan(100)
  })

  test("every condition that is read holds where mathjs says", () => {
    let read = 0
    fc.assert(
      fc.property(tokens(condition.map(formatCondition)), (text) => {
        const set = reading(parseCondition, text)
        if (set === null) return
        read++
        const holds = set.pieces.some((piece) => piece.every((constraint) => holdsAt(constraint, point)))
        expect(math.evaluate(text, { ...scope }), text).toBe(holds)
      }),
      { numRuns: 1000 },
    )
    expect(read).toBeGreaterThan(50)
  })
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

  test.each([
    "c foo",
    "1e-3",
    "c*c",
    "min(0, c)",
    "c^2",
    "-Infinity",
    "import(1)",
    "c; d",
    "",
    "max(0 c)",
    "max(0,, c)",
    "max()",
    "1()",
    "c + 1 ( )",
    "1e3",
    "2c",
    "c.d",
    "c << 1",
    "c ** 2",
    "'c'",
    "c + [1]",
    "true",
  ])("%j is refused", (text) => expect(() => parseExponent(text)).toThrow(InputError))

  test.each(["c <= 0 && c >= -1", "c | 1", "c === 0", "c = 0", "c <= 0 and", "c <= 0 <= 1", "(c <= 0) + 1 <= 0", "c"])(
    "%j is refused as a condition",
    (text) => expect(() => parseCondition(text)).toThrow(InputError),
  )

  test("TeX", () => expect(toTex("cA + rho/3 - 1/2")).toBe("c_{A}+\\frac{\\rho}{3}-\\frac{1}{2}"))
})
