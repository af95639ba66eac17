import { atStep, type Derivation, type Limit } from "../derive/derive.js"
import type { Condition } from "../exponent/condition.js"
import { formatAffine, formatCondition, formatExponent, formatMin } from "../exponent/grammar.js"
import type { Program } from "../program/program.js"
import { optimiserText } from "../scheme/definition.js"
import { groupsOf } from "../table/groups.js"
import type { DerivationJson } from "./derivationSchema.js"
import type { ReportTable } from "./table.js"

/** A derivation as the JSON that others rely on. */
export function derivationJson(derivation: Derivation, steps: number): DerivationJson {
  const { scheme, quantities, switches, assumptions, largestRate } = derivation
  const least = (forms: typeof largestRate.features) => forms && formatMin(forms)
  const nullable = (condition: Condition | null) => condition && formatCondition(condition)
  const named = Object.entries(quantities).map(([name, quantity]) => {
    const { limit, from, relation } = quantity
    const exponents = Array.from({ length: steps }, (_, i) => formatExponent(atStep(quantity, i + 1)))
    const [grows, falls] = [formatCondition(quantity.grows), formatCondition(quantity.falls)]
    return [name, { steps: exponents, limit: formatExponent(limit), from, relation, grows, falls }] as const
  })
  return {
    schema: "lora-scaling/derive/1",
    scheme: scheme.definition.name,
    optimiser: optimiserText(scheme.definition),
    symbols: [...scheme.symbols],
    switches: { ...switches },
    quantities: Object.fromEntries(named),
    stable: formatCondition(derivation.stable),
    internallyStable: formatCondition(derivation.internallyStable),
    stableOutput: formatCondition(derivation.stableOutput),
    stableSites: Object.fromEntries(
      Object.entries(derivation.stableSites).map(([tag, set]) => [siteName(tag), formatCondition(set)]),
    ),
    featureLearning: nullable(derivation.featureLearning),
    efficient: nullable(derivation.efficient),
    largestRate: { features: least(largestRate.features), output: least(largestRate.output) },
    regions: derivation.regions.map(({ where, limits }) => ({
      where: formatCondition(where),
      limits: Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, formatLimit(limit)])),
    })),
    late: formatCondition(derivation.late),
    undecided: formatCondition(derivation.undecided),
    ...(derivation.unknown.length === 0 ? {} : { unknown: [...derivation.unknown] }),
    ...(derivation.outgrown.isNever ? {} : { outgrown: formatCondition(derivation.outgrown) }),
    assumptions: [...assumptions, ...(scheme.definition.caveats ?? [])],
  }
}

/** The exponents step by step: a row per step, a column per quantity. */
export function stepTable({ quantities }: Derivation, steps: number): ReportTable {
  const names = Object.keys(quantities)
  const row = (t: number) => names.map((name) => formatExponent(atStep(quantities[name]!, t)))
  return {
    columns: ["t", ...names],
    rows: [
      ...Array.from({ length: steps }, (_, i) => [i + 1, ...row(i + 1)]),
      ["limit", ...names.map((name) => formatExponent(quantities[name]!.limit))],
      ["holds from", ...names.map((name) => quantities[name]!.from ?? "later")],
    ],
  }
}

/** The phase diagram: a row per polyhedron, with the limit of each quantity as one affine form. */
export function regionTable({ regions, quantities }: Derivation): ReportTable {
  const names = Object.keys(quantities)
  return {
    columns: ["where", ...names],
    rows: regions.map(({ where, limits }) => [
      formatCondition(where),
      ...names.map((name) => formatLimit(limits[name]!)),
    ]),
  }
}

/** A limit as the tables say it: a form, -inf, or that it moves without end. */
export function formatLimit(limit: Limit): string {
  return limit === null ? "-inf" : typeof limit === "string" ? limit : formatAffine(limit)
}

const OUTGROWN = "zB and f both exceed O(1): of sizes, feature learning and single sites no more is said here"

const LATE = "here limits hold from a later t, the later the nearer to an edge"

const UNWATCHED = "not derived: in a network of several layers no step's change of zB is watched"

const NO_LARGEST = ": not one symbol of all rates, or not one bound on it"

/** A site by its tag: "q" by "[q]". */
export const siteName = (tag: string) => tag.replace(/[[\]]/g, "")

/** What each factor adds to a step's change of zB, by its name without the site. */
function ownParts({ model: { sites }, parts }: Program): string {
  const names = parts.flatMap(({ own }, i) => own.map((name) => name.slice(0, name.length - sites[i]!.tag.length)))
  const [last, ...others] = [...new Set(names.length > 0 ? names : ["delta1", "delta2"])].reverse()
  return others.length === 0 ? last! : `${others.reverse().join(", ")} and ${last}`
}

/** The statements that follow, a row each, with the switches they were read under. */
export function statementTable(derivation: Derivation): ReportTable {
  const { stable, internallyStable, stableOutput, featureLearning, efficient, largestRate, switches } = derivation
  const least = (forms: typeof largestRate.features) => (forms === null ? "-" : formatMin(forms))
  const condition = (set: Condition | null) => (set === null ? "-" : formatCondition(set))
  const from = switches.from === null ? "for all t after the transient" : `for all t >= ${switches.from}`
  const own = ownParts(derivation.scheme.program)
  const sites = groupsOf(Object.entries(derivation.stableSites), ([, set]) => formatCondition(set))
  const za = switches.stableIncludesZA ? "stable includes zA = O(1)" : "stable does not include zA = O(1)"
  return {
    columns: ["statement", "holds iff", "read as"],
    rows: [
      ["stable", formatCondition(stable), "zB = O(1) for all t"],
      ...[...sites].map(
        ([set, own]) =>
          [`stable at ${own.map(([tag]) => siteName(tag)).join(", ")}`, set, "zB there = O(1) for all t"] as const,
      ),
      ["internally stable", formatCondition(internallyStable), "zA = O(1) too, for all t"],
      ["stable output", formatCondition(stableOutput), "f - f0 = O(1) for all t"],
      ["feature learning", condition(featureLearning), featureLearning ? `change of zB = Theta(1) ${from}` : UNWATCHED],
      [
        "efficient",
        condition(efficient),
        efficient ? `${own} = Theta(1) ${from}; stable at ${switches.level} level; ${za}` : UNWATCHED,
      ],
      ...(derivation.late.isNever ? [] : [["late", condition(derivation.late), LATE] as const]),
      ...(derivation.outgrown.isNever ? [] : [["outgrown", condition(derivation.outgrown), OUTGROWN] as const]),
      [
        "undecided",
        condition(derivation.undecided),
        ["no statement above speaks of these", ...derivation.unknown].join(": "),
      ],
      ["largest rate", least(largestRate.features), `feature level${largestRate.features ? "" : NO_LARGEST}`],
      ["largest rate", least(largestRate.output), `output level${largestRate.output ? "" : NO_LARGEST}`],
    ],
  }
}
