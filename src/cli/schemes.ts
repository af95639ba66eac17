import { derive } from "../derive/derive.js"
import { formatCondition, formatMin } from "../exponent/grammar.js"
import { BLOCK_SCHEMES } from "../scheme/blocks.js"
import { CATALOGUE } from "../scheme/catalogue.js"
import { optimiserText } from "../scheme/definition.js"
import { type SchemeDefinition, scheme } from "../scheme/scheme.js"
import { schemeOf } from "../scheme/schemeFile.js"
import { remembered } from "./remembered.js"
import { outputOptions, print } from "./terminal.js"

/** Options of `schemes` as typed. */
export interface SchemesOptions {
  readonly wide?: boolean
  readonly json?: boolean
  readonly format: string
}

type Row = ReturnType<typeof rowOf>

const SHOWN: readonly (keyof Row)[] = ["name", "title", "largestRate"]
const ALL: readonly (keyof Row)[] = ["name", "title", "stable", "stableOutput", "efficient", "largestRate", "source"]

/** The catalogue, or one scheme by its name or file: derived bounds; of those on blocks, which take seconds, the names. */
export async function schemesCommand(name: string | undefined, options: SchemesOptions): Promise<number> {
  const output = outputOptions(options)
  const definitions = name === undefined ? CATALOGUE : [await schemeOf(name)]
  const schemes = definitions.map((definition) => remembered("schemes", definition, () => rowOf(definition)))
  const onBlocks = BLOCK_SCHEMES.map(({ name, title, example }) => ({ name, title, example: example ?? {} }))
  const json = { schema: "lora-scaling/schemes/1", schemes, ...(name === undefined && { onBlocks }) }
  if (name !== undefined) {
    const fields = Object.entries(schemes[0]!).map(([field, value]) => {
      return [field, Array.isArray(value) ? value.join("; ") : (value ?? "-")] as [string, string]
    })
    print(output, json, [[definitions[0]!.title, { columns: ["what", "value"], rows: fields }]])
    return 0
  }
  const columns = options.wide ? ALL : SHOWN
  const more = options.wide ? "" : "; all bounds and sources: --wide, or schemes NAME"
  print(output, json, [
    [
      `Schemes: bounds at the feature level${options.wide ? ", and of the output at o = 1/2" : more}`,
      { columns: [...columns], rows: schemes.map((row) => columns.map((column) => cell(row[column]))) },
    ],
    [
      "On every layer of a transformer's block, where check measures them; bounds: schemes NAME",
      {
        columns: ["name", "title", "at"],
        rows: onBlocks.map(({ name, title, example }) => [name, title, pointText(example)]),
      },
    ],
  ])
  return 0
}

function pointText(point: Readonly<Record<string, string>>): string {
  return Object.entries(point)
    .map(([symbol, value]) => `${symbol} = ${value}`)
    .join(", ")
}

function cell(value: Row[keyof Row]): string | null {
  return value === null || typeof value === "string" ? value : value.join("; ")
}

/** A scheme with its derived bounds, as texts. */
export function rowOf(definition: SchemeDefinition) {
  const { stable, internallyStable, stableOutput, efficient, largestRate } = derive(scheme(definition))
  return {
    name: definition.name,
    title: definition.title,
    source: definition.source ?? null,
    optimiser: optimiserText(definition),
    stable: formatCondition(stable),
    internallyStable: formatCondition(internallyStable),
    stableOutput: formatCondition(stableOutput),
    efficient: efficient && formatCondition(efficient),
    largestRate: largestRate.features && formatMin(largestRate.features),
    caveats: definition.caveats ?? [],
  }
}
