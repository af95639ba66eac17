import { describe, expect, test } from "vitest"
import { atStep, type Derivation, derive } from "../../src/derive/derive.js"
import { formatCondition, formatExponent, parseCondition } from "../../src/exponent/grammar.js"
import { formatLimit, statementTable } from "../../src/report/derivation.js"
import { formTable, quantityTable } from "../../src/report/quantityTables.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { scheme } from "../../src/scheme/scheme.js"

const STEPS = 5

/** Programs of one adapter, of three layers by numbers, and of a block whose sites have names. */
const derivations = (
  [
    ["init-a", {}],
    ["three-layers-init-b", {}],
    ["bert-block/init-a", {}],
    ["llama-block/lora-plus", { cA: "-3/4", cB: "-1/2" }],
  ] as const
).map(([name, values]): [string, Derivation] => [name, derive(scheme(schemeNamed(name), values))])

/** The quantities that a row is of: "zA[q, k]" is of zA[q] and zA[k], "zA1, zA2" of both. */
function namesOf(label: string): string[] {
  const [, base, tags] = /^(\w+)\[(.*)\]$/.exec(label) ?? []
  return base === undefined ? label.split(", ") : tags!.split(", ").map((tag) => `${base}[${tag}]`)
}

describe.each(derivations)("%s by quantities", (_, derivation) => {
  const { quantities, regions } = derivation

  test("each quantity has one row, which says its exponents at every step", () => {
    const { columns, rows } = quantityTable(derivation, STEPS)
    const spans = columns.filter((name) => name.startsWith("t = ") || name === "limit")
    const stepsOf = (head: string) => {
      const [, first, last = first] = /t = (\d)(?: … (\d))?/.exec(head) ?? []
      return first === undefined ? [] : [...Array(Number(last) - Number(first) + 1)].map((_, i) => Number(first) + i)
    }
    expect(spans.flatMap(stepsOf)).toEqual([1, 2, 3, 4, 5])
    expect(spans.at(-1)).toMatch(/limit$/)
    expect(rows.flatMap(([label]) => namesOf(label as string)).sort()).toEqual(Object.keys(quantities).sort())
    for (const [label, ...cells] of rows)
      for (const quantity of namesOf(label as string).map((name) => quantities[name]!)) {
        spans.forEach((head, i) => {
          for (const t of stepsOf(head)) expect(cells[i]).toBe(formatExponent(atStep(quantity, t)))
        })
        expect(cells[spans.length - 1]).toBe(formatExponent(quantity.limit))
        expect(cells[spans.length + 1] ?? "").toBe(quantity.relation === "atMost" ? "at most" : "")
      }
  })

  test("each site's stable set stands in one row", () => {
    const rows = statementTable(derivation).rows.flatMap(([statement, set]) => {
      const [, sites] = /^stable at (.*)$/.exec(statement as string) ?? []
      return sites === undefined ? [] : sites.split(", ").map((site) => [site, set])
    })
    const own = Object.entries(derivation.stableSites).map(([tag, set]) => [
      tag.replace(/[[\]]/g, ""),
      formatCondition(set),
    ])
    expect(rows.sort()).toEqual(own.sort())
  })

  test("each form of a limit holds in the regions that have it, and in no other", () => {
    let label = ""
    for (const [name, form, where] of formTable(derivation).rows as [string | null, string, string][]) {
      label = name ?? label
      for (const quantity of namesOf(label))
        for (const region of regions) {
          const holds = where === "in all regions" || region.where.isWithin(parseCondition(where))
          expect(holds, `${quantity} ${form}`).toBe(formatLimit(region.limits[quantity]!) === form)
        }
    }
  })
})
