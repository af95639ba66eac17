import fc from "fast-check"
import { Fraction } from "fraction.js"
import { expect, test } from "vitest"
import { type Derivation, derive } from "../../src/derive/derive.js"
import { Affine } from "../../src/exponent/affine.js"
import type { Condition } from "../../src/exponent/condition.js"
import { CATALOGUE, schemeNamed } from "../../src/scheme/catalogue.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"
import { stepped } from "./stepped.js"

/** A state that does not repeat within so many steps grows without end, at the numbers that are drawn here. */
const MANY = 200

const DEFINITIONS: readonly SchemeDefinition[] = [
  ...CATALOGUE,
  { ...schemeNamed("sgd-init-a"), clip: "k" },
  { ...schemeNamed("sgd-init-b"), clip: "1/2" },
]

const derivations = new Map<SchemeDefinition, Derivation>()
function derivationOf(definition: SchemeDefinition): Derivation {
  const seen = derivations.get(definition) ?? derive(scheme(definition))
  derivations.set(definition, seen)
  return seen
}

/** Numbers on a coarse grid: the walls and corners of regions are among them. */
const number = fc.integer({ min: -12, max: 6 }).map((eighths) => new Fraction(eighths, 8).toFraction())
const drawn = fc
  .constantFrom(...DEFINITIONS)
  .chain((definition) =>
    fc.tuple(
      fc.constant(definition),
      fc.record(Object.fromEntries(scheme(definition).symbols.map((symbol) => [symbol, number]))),
    ),
  )

test("what is derived for all t and all symbols is what steps at numbers show", () => {
  fc.assert(
    fc.property(drawn, ([definition, values]) => {
      const numbers = new Map(Object.entries(values).map(([name, text]) => [name, Affine.constant(text)]))
      const at = (form: Affine) => form.substitute(numbers).constant
      fc.pre(scheme(definition).domain.every(({ form }) => at(form).compare(0) <= 0))
      const holds = (condition: Condition) => !condition.substitute(numbers).isNever
      const { stable, internallyStable, stableOutput, regions } = derivationOf(definition)
      const { limits } = regions.find(({ where }) => holds(where))!

      const { steps, repeats } = stepped(definition, values, MANY)
      const isBounded = (prefix: string) =>
        steps.every((sizes) =>
          Object.entries(sizes)
            .filter(([name]) => new RegExp(`^${prefix}\\d*$`).test(name))
            .every(([, size]) => size === null || size.compare(0) <= 0),
        )
      const context = [definition.name, values] as const
      expect([...context, holds(stable), holds(internallyStable), holds(stableOutput)]).toEqual([
        ...context,
        isBounded("zB"),
        isBounded("zB") && isBounded("zA"),
        isBounded("f"),
      ])
      for (const [name, limit] of Object.entries(limits)) {
        const text = typeof limit === "string" ? limit : limit && at(limit).toFraction()
        if (typeof limit === "string")
          expect([...context, name, text, repeats]).toEqual([...context, name, text, false])
        else if (repeats)
          expect([...context, name, text]).toEqual([...context, name, steps.at(-1)![name]?.toFraction() ?? null])
      }
    }),
    { numRuns: 500 },
  )
})
