import fc from "fast-check"
import { Fraction } from "fraction.js"
import { describe, expect, test } from "vitest"
import { Cell, explore } from "../../src/derive/cell.js"
import { derive } from "../../src/derive/derive.js"
import { isZeroForm } from "../../src/derive/graded.js"
import { steadyRound } from "../../src/derive/growth.js"
import { throughTransient } from "../../src/derive/longTransient.js"
import { firstSteps, recursion } from "../../src/derive/recursion.js"
import { lead, type Size } from "../../src/derive/size.js"
import { grown, isRepeated } from "../../src/derive/state.js"
import { stepper } from "../../src/derive/step.js"
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

  // While the gradient is below ε a step is one of gradient descent at the rate n^(c - e), stable iff c - e <= -1/2. If
  // it is not, the gradient grows until it exceeds ε, and the step becomes a sign's, with Init[A]'s own bounds.
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
  // Either nothing grows, or the norm comes to be n^k and the step is n^(c + k) along a gradient of norm 1:
  // test/derive/clip.test.ts with c + k in the place of c.
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

type Values = Readonly<Record<string, string>>

/** An exponent in words; null is −∞. */
const text = (exponent: Fraction | null) => exponent?.toFraction() ?? "zero"

/** A scheme at numbers that has not settled within the steps that are listed, and its regions with symbols. */
const UNSETTLED: readonly { readonly definition: SchemeDefinition; readonly values: fc.Arbitrary<Values> }[] = [
  {
    definition: schemeNamed("adam-epsilon"),
    values: fc.tuple(fc.integer({ min: -40, max: 0 }), above).map(([c, delta]) => {
      const rate = new Fraction(c, 40)
      return { c: rate.toFraction(), e: rate.add("1/2").sub(delta).toFraction() }
    }),
  },
  {
    definition: { ...schemeNamed("sgd-init-a"), clip: "k" },
    values: fc.tuple(above, fc.integer({ min: 1, max: 8 })).map(([delta, k]) => {
      return { c: delta.sub("1/2").toFraction(), k: new Fraction(k, 8).toFraction() }
    }),
  },
]

describe.each(UNSETTLED)("$definition.name, read on with what K rounds add as a symbol", ({ definition, values }) => {
  const whole = scheme(definition)
  const unsettled = explore(whole.domain, whole.symbols, (cell) => recursion(whole, cell))!
    .filter(({ result }) => result === null)
    .map(({ where }) => throughTransient(whole, where))
  const told = unsettled.flatMap((regions) => regions ?? [])

  test("is told of all that has not settled, and without the symbol", () => {
    expect(unsettled).not.toContain(null)
    expect(told.length).toBeGreaterThan(0)
    for (const { where, result } of told) {
      const forms = Object.values(result.limit!).flatMap((size) => (size === null ? [] : size.terms))
      const symbols = [...where.map(({ form }) => form), ...Object.values(result.growth), ...forms]
      for (const form of symbols) for (const name of form.symbols) expect(whole.symbols).toContain(name)
    }
  })

  test("is what stepping at numbers comes to, on the way at most the larger of both ends", () => {
    let longest = 0
    fc.assert(
      fc.property(values, (given) => {
        const point = new Map(Object.entries(given).map(([name, text]) => [name, new Fraction(text)]))
        const region = told.find(({ where }) =>
          where.every(({ form, relation }) => form.at(point).compare(0) < (relation === "<" ? 0 : 1)),
        )
        fc.pre(region !== undefined)
        const { steps, limit, growth } = region!.result
        const at = (size: Size | null) => size && lead(size).at(point)
        const { steps: seen, repeats } = stepped(definition, given, MANY)
        for (const name of Object.keys(growth)) {
          steps.forEach(({ sizes }, i) => {
            // A state that repeats is listed no further.
            const now = seen[Math.min(i, seen.length - 1)]![name]
            expect(text(at(sizes[name]!)), `${name} at t = ${i + 1}`).toBe(text(now!))
          })
          if (!isZeroForm(growth[name]!)) continue
          const [first, last] = [at(steps.at(-1)!.sizes[name]!), at(limit![name]!)]
          expect(repeats).toBe(true)
          expect(text(seen.at(-1)![name]!), `${name} in the end`).toBe(text(last))
          for (const size of seen.slice(steps.length))
            if (size[name] !== null)
              expect([first, last].some((end) => end !== null && size[name]!.lte(end))).toBe(true)
        }
        longest = Math.max(longest, seen.length)
      }),
      { numRuns: 20 },
    )
    expect(longest).toBeGreaterThan(100)
  })

  test("rounds at once are rounds one after the other, until one of their comparisons is answered otherwise", () => {
    let [equal, most] = [0, 0]
    fc.assert(
      fc.property(values, (given) => {
        const concrete = scheme(definition, given)
        const cell = new Cell(new Map())
        const advance = stepper(concrete, cell, () => {})
        const history = firstSteps(concrete, cell, advance)
        const period = [1, 2, 3].find((length) => steadyRound(history, length) !== null) ?? 1
        const round = steadyRound(history, period)
        fc.pre(round?.changes.some((change) => cell.isNegative(change)) ?? false)
        // The rounds at which the first margin comes to be 0 and is below 0: where it is 0 two terms are equal, and may
        // be one.
        const rounds = round!.margins.flatMap((form, i) => {
          const change = round!.changes[i]!
          return cell.isNegative(change) ? [form.constant.div(change.constant.neg())] : []
        })
        const [zero, end] = [
          Math.min(...rounds.map((k) => k.ceil().valueOf())),
          Math.min(...rounds.map((k) => k.floor().valueOf() + 1)),
        ]
        let { state } = history.at(-1)!
        for (let k = 1; k <= end; k++) {
          for (let step = 0; step < period; step++) state = advance(state).state
          const added = round!.increments.map((form) => form.times(new Fraction(k)))
          const isEqual = isRepeated(grown(history.at(-1)!.state, added), state)
          if (k < zero || k === end) expect(isEqual, `${k} of ${end} rounds`).toBe(k < zero)
          equal += isEqual ? 1 : 0
        }
        most = Math.max(most, end)
      }),
      { numRuns: 20 },
    )
    expect(equal).toBeGreaterThan(0)
    expect(most).toBeGreaterThan(20)
  })
})
