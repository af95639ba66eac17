import { derive } from "../derive/derive.js"
import { InputError } from "../inputError.js"
import { derivationJson, regionTable, statementTable, stepTable } from "../report/derivation.js"
import { narrowed, type ReportTable } from "../report/table.js"
import { type Alignment, scheme } from "../scheme/scheme.js"
import { integer, oneOf, outputOptions, print, schemeWith, settings, type VariantOptions } from "./terminal.js"

/** Options of `derive` as typed. */
export interface DeriveOptions extends VariantOptions {
  readonly set: readonly string[]
  readonly steps: string
  readonly free: readonly string[]
  readonly level: string
  readonly from?: string
  readonly stableIncludesZa?: boolean
  readonly align: readonly string[]
  readonly json?: boolean
  readonly format: string
}

/** Parses `Aᵀ,Z=3/4`; A' is Aᵀ. @throws InputError for a text of another form. */
function alignment(text: string): Alignment {
  const match = /^([^,=]+),([^,=]+)=(.+)$/.exec(text)
  if (match === null)
    throw new InputError({
      field: "--align",
      given: text,
      allowed: "part,part=exponent",
      example: '--align "A\',Z=3/4"',
    })
  const [x, y, exponent] = match.slice(1).map((part) => part.trim().replaceAll("'", "ᵀ"))
  return { between: [x!, y!], exponent: exponent! }
}

/** Exponents per step and in the limit, and the statements that follow from them. */
export async function deriveCommand(name: string, options: DeriveOptions): Promise<number> {
  const output = outputOptions(options)
  const steps = integer("--steps", options.steps)
  const given = options.align.map(alignment)
  const definition = { ...(await schemeWith(name, options)), ...(given.length > 0 ? { alignments: given } : {}) }
  const derivation = derive(scheme(definition, settings(options.set), options.free), {
    level: oneOf("--level", options.level, ["features", "output"]),
    stableIncludesZA: options.stableIncludesZa ?? false,
    ...(options.from === undefined ? {} : { from: integer("--from", options.from) }),
  })
  const json = derivationJson(derivation, steps)
  const readable = (table: ReportTable) =>
    output.format === "text" ? narrowed(table, ["quantity", "exponent"]) : table
  print(output, json, [
    [`${derivation.scheme.definition.title}; ${json.optimiser}`, readable(stepTable(derivation, steps))],
    ["Statements", statementTable(derivation)],
    ...(derivation.regions.length > 1
      ? [["Regions (limits)", readable(regionTable(derivation))] as [string, ReportTable]]
      : []),
    ["Assumptions", { columns: ["assumed"], rows: json.assumptions.map((text) => [text]) }],
  ])
  return 0
}
