import fc from "fast-check"
import { Fraction } from "fraction.js"
import { describe, expect, test } from "vitest"
import { derive } from "../../src/derive/derive.js"
import { Affine } from "../../src/exponent/affine.js"
import type { Condition } from "../../src/exponent/condition.js"
import { formatCondition, parseCondition } from "../../src/exponent/grammar.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"
import { stepped } from "./stepped.js"

const says = (condition: Condition, text: string) =>
  expect(condition.equals(parseCondition(text)), `${formatCondition(condition)} is not ${text}`).toBe(true)

/** More steps than any transient below has. */
const MANY = 5000

/** The exponents with which stepping ends, and after how many steps. */
function ended(definition: SchemeDefinition, values: Readonly<Record<string, string>>) {
  const { steps, repeats } = stepped(definition, values, MANY)
  expect(repeats).toBe(true)
  return {
    steps: steps.length,
    exponents: Object.entries(steps.at(-1)!).map(([name, size]) => [name, size?.toFraction() ?? null]),
  }
}

/** The limits of the region around the numbers. */
function predicted(derivation: ReturnType<typeof derive>, values: Readonly<Record<string, string>>) {
  const numbers = new Map(Object.entries(values).map(([name, text]) => [name, Affine.constant(text)]))
  const region = derivation.regions.find(({ where }) => !where.substitute(numbers).isNever)!
  return Object.entries(region.limits).map(([name, limit]) => {
    if (typeof limit === "string") throw new Error(`${name} ${limit}`)
    return [name, limit?.substitute(numbers).constant.toFraction() ?? null]
  })
}

/** How far the rate's exponent lies above the one at which nothing grows: the less, the longer it takes. */
const above = fc.integer({ min: 5, max: 400 }).map((steps) => new Fraction(1, steps))

describe("Adam with ε = n^e", () => {
  const definition = schemeNamed("adam-epsilon")
  const derivation = derive(scheme(definition))

  // While the gradient is below ε a step is one of gradient descent at the rate n^(c - e), stable iff c - e <= -1/2. If it is
  // not, the gradient grows until it exceeds ε, and the step becomes a sign's, with Init[A]'s own bounds.
  test("is bounded where one of its two regimes is", () => {
    says(derivation.undecided, "never")
    says(derivation.stable, "c - e <= -1/2 or c <= -1/2")
    says(derivation.internallyStable, "c - e <= -1/2 or c <= -1")
    says(derivation.stableOutput, "c - e <= -1/2 or c <= -3/4")
    says(derivation.efficient!, "c == -1/2 and e < 0")
  })

  test("ends where its steps end, however many they are", () => {
    let longest = 0
    fc.assert(
      fc.property(fc.integer({ min: -40, max: 20 }), above, (c, delta) => {
        const rate = new Fraction(c, 40)
        const values = { c: rate.toFraction(), e: rate.add("1/2").sub(delta).toFraction() }
        const { steps, exponents } = ended(definition, values)
        longest = Math.max(longest, steps)
        expect(predicted(derivation, values)).toEqual(exponents)
      }),
      { numRuns: 60 },
    )
    expect(longest).toBeGreaterThan(100)
  })

  test("on the edge c - e = -1/2 nothing grows", () => {
    const values = { c: "-1/4", e: "1/4" }
    const { steps, exponents } = ended(definition, values)
    expect(steps).toBeLessThan(10)
    expect(predicted(derivation, values)).toEqual(exponents)
  })

  test("at numbers the limits are told, and that they come late", () => {
    const { quantities, late, switches } = derive(scheme(definition, { c: "-45/100", e: "1/50" }))
    says(late, "always")
    expect(quantities.zA!.from).toBeNull()
    expect(switches.from).toBeNull()
  })

  test("a step that is named lies within the transient: nothing is learned for all t from there where that is late", () =>
    says(derive(scheme(definition), { from: 40 }).efficient!, "c == -1/2 and 12 * c - 13 * e >= -11/2"))
})

describe("gradient descent, clipped far above its first norm", () => {
  // Either nothing grows, or the norm comes to be n^k and the step is n^(c + k) along a gradient of norm 1: test/derive/clip.test.ts
  // with c + k in the place of c.
  test("with the bound a symbol", () => {
    const { stable, internallyStable, stableOutput, undecided } = derive(
      scheme({ ...schemeNamed("sgd-init-a"), clip: "k" }),
    )
    says(undecided, "never")
    says(stable, "c <= -1/2 or c + k <= 0")
    says(internallyStable, "c <= -1/2 or c + k <= -1/2")
    says(stableOutput, "c <= -1/2 or c + k <= -1/4")
  })

  // The first norm is n^0, and for c > -1/2 it grows until it is n^k.
  test.each(["1/4", "1/2", "1"])("to n^%s", (clip) => {
    const definition = { ...schemeNamed("sgd-init-a"), clip }
    const derivation = derive(scheme(definition))
    says(derivation.undecided, "never")
    says(derivation.internallyStable, "c <= -1/2")
    fc.assert(
      fc.property(above, (delta) => {
        const values = { c: delta.sub("1/2").toFraction() }
        expect(predicted(derivation, values)).toEqual(ended(definition, values).exponents)
      }),
      { numRuns: 20 },
    )
  })
})
