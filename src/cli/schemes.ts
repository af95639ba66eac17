import { derive } from "../derive/derive.js"
import { formatCondition, formatMin } from "../exponent/grammar.js"
import { CATALOGUE } from "../scheme/catalogue.js"
import { type SchemeDefinition, scheme } from "../scheme/scheme.js"
import { remembered } from "./remembered.js"
import { outputOptions, print } from "./terminal.js"

/** Options of `schemes` as typed. */
export interface SchemesOptions {
  readonly json?: boolean
  readonly format: string
}

/** The catalogue: each scheme with its derived bounds. */
export async function schemesCommand(options: SchemesOptions): Promise<number> {
  const output = outputOptions(options)
  const schemes = CATALOGUE.map((definition) => remembered("schemes", definition, () => rowOf(definition)))
  const columns = ["name", "title", "stable", "stableOutput", "efficient", "largestRate", "source"] as const
  print(output, { schema: "lora-scaling/schemes/1", schemes }, [
    [
      "Schemes: bounds at the feature level, and of the output at o = 1/2",
      { columns: [...columns], rows: schemes.map((s) => columns.map((c) => s[c])) },
    ],
  ])
  return 0
}

/** A scheme with its derived bounds, as texts. */
export function rowOf(definition: SchemeDefinition) {
  const { stable, internallyStable, stableOutput, efficient, largestRate } = derive(scheme(definition))
  return {
    name: definition.name,
    title: definition.title,
    source: definition.source ?? null,
    optimiser: definition.optimiser ?? "adam",
    stable: formatCondition(stable),
    internallyStable: formatCondition(internallyStable),
    stableOutput: formatCondition(stableOutput),
    efficient: efficient && formatCondition(efficient),
    largestRate: largestRate.features && formatMin(largestRate.features),
    caveats: definition.caveats ?? [],
  }
}
