import { z } from "zod"
import type { Derivation } from "../derive/derive.js"
import { atStep } from "../derive/recursion.js"
import { formatAffine, formatCondition, formatExponent } from "../exponent/grammar.js"
import type { ReportTable } from "./table.js"

const Quantity = z.object({
  steps: z.array(z.string()).describe("exponents at t = 1, 2, …; the last one holds for all later t"),
  limit: z.string(),
  from: z.int().describe("the first t from which the limit holds"),
  relation: z.enum(["equal", "atMost"]),
})

/** The JSON of `derive`: exponents and conditions are texts of the command line's grammar. */
export const DerivationJson = z.object({
  schema: z.literal("lora-scaling/derive/1"),
  scheme: z.string(),
  optimiser: z.string(),
  symbols: z.array(z.string()),
  switches: z.object({ stableIncludesZA: z.boolean(), from: z.int() }),
  quantities: z.record(z.string(), Quantity.nullable()).describe("f is null: the output level is not derived"),
  stable: z.string(),
  internallyStable: z.string(),
  featureLearning: z.string(),
  efficient: z.string(),
  largestRate: z.object({ features: z.string().nullable(), output: z.string().nullable() }),
  regions: z.array(z.object({ where: z.string() })).describe("one region: no comparison had to be decided"),
  assumptions: z.array(z.string()),
})
export type DerivationJson = z.infer<typeof DerivationJson>

/** A derivation as the JSON that others rely on. */
export function derivationJson(derivation: Derivation, steps: number): DerivationJson {
  const { scheme, quantities, switches, assumptions, largestRate } = derivation
  const affine = (form: typeof largestRate.features) => (form === null ? null : formatAffine(form))
  const named = Object.entries(quantities).map(([name, quantity]) => {
    const { limit, from } = quantity
    const exponents = Array.from({ length: steps }, (_, i) => formatExponent(atStep(quantity, i + 1).value))
    return [name, { steps: exponents, limit: formatExponent(limit.value), from, relation: limit.relation }] as const
  })
  return {
    schema: "lora-scaling/derive/1",
    scheme: scheme.definition.name,
    optimiser: scheme.definition.optimiser ?? "adam",
    symbols: [...scheme.symbols],
    switches: { ...switches },
    quantities: { ...Object.fromEntries(named), f: null },
    stable: formatCondition(derivation.stable),
    internallyStable: formatCondition(derivation.internallyStable),
    featureLearning: formatCondition(derivation.featureLearning),
    efficient: formatCondition(derivation.efficient),
    largestRate: { features: affine(largestRate.features), output: affine(largestRate.output) },
    regions: [{ where: "always" }],
    assumptions: [...assumptions],
  }
}

/** The exponents step by step: a row per step, a column per quantity. */
export function stepTable({ quantities }: Derivation, steps: number): ReportTable {
  const names = Object.keys(quantities)
  const row = (t: number) => names.map((name) => formatExponent(atStep(quantities[name]!, t).value))
  return {
    columns: ["t", ...names],
    rows: [
      ...Array.from({ length: steps }, (_, i) => [i + 1, ...row(i + 1)]),
      ["limit", ...names.map((name) => formatExponent(quantities[name]!.limit.value))],
      ["holds from", ...names.map((name) => quantities[name]!.from)],
    ],
  }
}

/** The statements that follow, a row each, with the switches they were read under. */
export function statementTable(derivation: Derivation): ReportTable {
  const { stable, internallyStable, featureLearning, efficient, largestRate, switches } = derivation
  const from = `for all t >= ${switches.from}`
  const za = switches.stableIncludesZA ? "stable includes zA = O(1)" : "stable does not include zA = O(1)"
  return {
    columns: ["statement", "holds iff", "read as"],
    rows: [
      ["stable", formatCondition(stable), "zB = O(1) for all t"],
      ["internally stable", formatCondition(internallyStable), "zA = O(1) too, for all t"],
      ["feature learning", formatCondition(featureLearning), `change of zB = Theta(1) ${from}`],
      ["efficient", formatCondition(efficient), `delta1 and delta2 = Theta(1) ${from}; ${za}`],
      ["largest rate", largestRate.features === null ? "-" : formatAffine(largestRate.features), "feature level"],
    ],
  }
}
