import { derive, type Switches } from "../derive/derive.js"
import { InputError } from "../inputError.js"
import { integer, oneOf } from "../optionText.js"
import { assumptionTable } from "../report/assumptionTable.js"
import { derivationJson, regionTable, statementTable, stepTable } from "../report/derivation.js"
import { formTable, quantityTable } from "../report/quantityTables.js"
import { fits } from "../report/table.js"
import { type Alignment, type SchemeDefinition, scheme } from "../scheme/scheme.js"
import type { VariantOptions } from "../scheme/variant.js"
import { remembered } from "./remembered.js"
import { type Headed, type OutputOptions, outputOptions, print, schemeWith, screen, settings } from "./terminal.js"

/** Options of `derive` as typed. */
export interface DeriveOptions extends VariantOptions {
  readonly set: readonly string[]
  readonly steps: string
  readonly free: readonly string[]
  readonly level: string
  readonly from?: string
  readonly stableIncludesZa?: boolean
  readonly align: readonly string[]
  readonly why?: string
  readonly json?: boolean
  readonly format: string
}

/** More steps than anybody reads: what holds from then on is said by the limit. */
const MOST_STEPS = 1000

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
  const steps = integer("--steps", options.steps, 1, MOST_STEPS)
  const given = options.align.map(alignment)
  const definition = { ...(await schemeWith(name, options)), ...(given.length > 0 ? { alignments: given } : {}) }
  const asked: DeriveRequest = {
    definition,
    set: settings(options.set),
    free: options.free,
    switches: {
      level: oneOf("--level", options.level, ["features", "output"]),
      stableIncludesZA: options.stableIncludesZa ?? false,
      ...(options.from === undefined ? {} : { from: integer("--from", options.from) }),
    },
    steps,
  }
  if (options.why !== undefined) return explain(asked, options.why, output)
  const { json, statements, byStep, byQuantity, regions, forms } = remembered("derive", asked, () => derived(asked))
  const isWide = output.format !== "csv" && !fits(byStep, screen())
  const phases = isWide ? forms : regions
  print(output, json, [
    [`${definition.title}; ${json.optimiser}`, statements],
    ["Exponents step by step", isWide ? byQuantity : byStep],
    ...(phases === null ? [] : [["Limits, region by region", phases] satisfies Headed]),
    ["Assumptions", assumptionTable(json.assumptions)],
  ])
  return 0
}

/** What `derive` asks, as values. */
interface DeriveRequest {
  readonly definition: SchemeDefinition
  readonly set: Readonly<Record<string, string>>
  readonly free: readonly string[]
  readonly switches: Partial<Switches>
  readonly steps: number
}

/** How a statement or a quantity comes about, after the answer itself in the JSON. */
async function explain({ definition, set, free, switches, steps }: DeriveRequest, what: string, output: OutputOptions) {
  const { whyJson, whyTables } = await import("../report/why.js")
  const derivation = derive(scheme(definition, set, free), switches)
  const why = whyJson(derivation, what)
  print(output, { ...derivationJson(derivation, steps), why }, whyTables(why))
  return 0
}

/** The answer: its JSON and its tables. */
export function derived({ definition, set, free, switches, steps }: DeriveRequest) {
  const derivation = derive(scheme(definition, set, free), switches)
  const hasRegions = derivation.regions.length > 1
  return {
    json: derivationJson(derivation, steps),
    statements: statementTable(derivation),
    byStep: stepTable(derivation, steps),
    byQuantity: quantityTable(derivation, steps),
    regions: hasRegions ? regionTable(derivation) : null,
    forms: hasRegions ? formTable(derivation) : null,
  }
}
