import { describe, expect, test } from "vitest"
import { type Derivation, derive } from "../../src/derive/derive.js"
import { STATEMENTS, whyQuantity } from "../../src/derive/why.js"
import type { Affine } from "../../src/exponent/affine.js"
import { formatAffine, formatCondition, parseAffine, parseCondition } from "../../src/exponent/grammar.js"
import { solveLinear } from "../../src/exponent/system.js"
import { whyJson } from "../../src/report/why.js"
import type { WhyJson } from "../../src/report/whySchema.js"
import { CATALOGUE, schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"

type Chain = WhyJson["reasons"][number]["chain"]

/** The exponents of a chain's steps, added up from its numbers alone. */
function addedUp(chain: Chain): Affine[] {
  const forms: Affine[] = []
  for (const { terms, added } of chain)
    forms.push(terms.reduce((sum, { step, times }) => sum.plus(forms[step]!.times(times)), parseAffine(added)))
  return forms
}

function expectAdded(chain: Chain, form: string): void {
  const forms = addedUp(chain)
  expect(chain.map(({ exponent }) => exponent)).toEqual(forms.map(formatAffine))
  expect(formatAffine(forms.at(-1)!)).toBe(form)
}

/** The form with equalities put in. */
function reduced(form: Affine, using: readonly string[]): Affine {
  return using
    .flatMap((text) => parseCondition(text).pieces[0]!)
    .reduce((rest, { form: zero }) => {
      const name = zero.symbols.at(-1)!
      return rest.substitute(new Map([[name, solveLinear(zero, name)]]))
    }, form)
}

/** The statements of a derivation that say something. */
function statementsOf(derivation: Derivation): string[] {
  const { largestRate, switches } = derivation
  return STATEMENTS.filter((name) =>
    name === "largestRate" ? largestRate[switches.level] !== null : derivation[name] !== null,
  )
}

describe.each(CATALOGUE.map((definition) => [definition.name, definition] as const))("%s", (_, definition) => {
  const derivation = derive(scheme(definition))

  test("every inequality of every statement has a chain whose exponents add up to it", () => {
    for (const statement of statementsOf(derivation)) {
      const { reasons, holds } = whyJson(derivation, statement)
      expect(reasons).toHaveLength(parseCondition(holds).pieces.flat().length)
      for (const { claim, because, form, using, chain } of reasons) {
        const [[constraint]] = parseCondition(claim).pieces as [[{ form: Affine; relation: string }]]
        const signs = constraint.relation === "==" ? [1, -1] : [1]
        const wanted = signs.map((sign) => constraint.form.times(sign).scaled.key)
        expect(wanted, `${statement}: ${claim}`).toContain(reduced(parseAffine(form), using).scaled.key)
        if (because.startsWith("it is assumed of the symbols")) expect(chain).toEqual([])
        else expectAdded(chain, form)
      }
    }
  })

  test("every exponent of every quantity in the limit has a chain that adds up to it", () => {
    for (const name of Object.keys(derivation.quantities)) {
      const { reasons } = whyJson(derivation, name)
      expect(reasons).toHaveLength(whyQuantity(derivation, name).length)
      for (const { form, chain } of reasons) expectAdded(chain, form)
    }
  })
})

/** [Init], section 3: B moves by η from the first step on, A from the second, along Z, so that A Z grows by n. */
test("the bound of Init[A] comes from B zA at the second step, as in the paper", () => {
  const { holds, reasons } = whyJson(derive(scheme(schemeNamed("init-a"))), "stable")
  expect(holds).toBe("c <= -1/2")
  expect(reasons).toHaveLength(1)
  const [{ because, chain }] = reasons as [WhyJson["reasons"][number]]
  expect(because).toBe("zB at t = 2 asks 2 * c + 1 <= 0")
  const line = ({ t, tensor, part, exponent }: Chain[number]) => [t, tensor, part, exponent].join("; ")
  expect(chain.map(line)).toEqual([
    "1; direction of B; dZ; 0",
    "1; change of B; dZ; c",
    "1; B; dZ; c",
    "2; direction of A; Z; 0",
    "2; change of A; Z; c",
    "2; A; Z; c",
    "0; Z; Z; 0",
    "2; zA; ; c + 1",
    "2; zB; dZ; 2 * c + 1",
  ])
  expect(chain.map(({ added }) => added)).toEqual(["0", "c", "0", "0", "c", "0", "0", "1", "0"])
})

test("the bound of Init[B] comes from the first step, the start of B and the change of A", () => {
  const { reasons } = whyJson(derive(scheme(schemeNamed("init-b"))), "stable")
  expect(reasons.map(({ claim, because }) => [claim, because])).toEqual([["c <= -1", "zB at t = 1 asks c + 1 <= 0"]])
  const used = reasons[0]!.chain.map(({ t, tensor }) => `${tensor} ${t}`)
  expect(used).toContain("B 0")
  expect(used).not.toContain("change of B 1")
})

test("an unknown name is refused with those that there are", () => {
  const derivation = derive(scheme(schemeNamed("init-a")))
  expect(whyJson(derivation, "stable output")).toEqual(whyJson(derivation, "stableOutput"))
  expect(() => whyJson(derivation, "zC")).toThrow(/--why: got "zC".*stable.*zB/s)
  expect(() => whyJson(derive(scheme(schemeNamed("two-layers-init-a"))), "efficient")).toThrow(/--why/)
  expect(formatCondition(derivation.stable)).toBe("c <= -1/2")
})
