import { derive } from "../derive/derive.js"
import { derivationJson, regionTable, statementTable, stepTable } from "../report/derivation.js"
import type { ReportTable } from "../report/table.js"
import { scheme } from "../scheme/scheme.js"
import { integer, oneOf, outputOptions, print, schemeWith, settings } from "./terminal.js"

/** Options of `derive` as typed. */
export interface DeriveOptions {
  readonly set: readonly string[]
  readonly steps: string
  readonly free: readonly string[]
  readonly level: string
  readonly from?: string
  readonly stableIncludesZa?: boolean
  readonly optimiser?: string
  readonly json?: boolean
  readonly format: string
}

/** Exponents per step and in the limit, and the statements that follow from them. */
export async function deriveCommand(name: string, options: DeriveOptions): Promise<number> {
  const output = outputOptions(options)
  const steps = integer("--steps", options.steps)
  const derivation = derive(scheme(schemeWith(name, options.optimiser), settings(options.set), options.free), {
    level: oneOf("--level", options.level, ["features", "output"]),
    stableIncludesZA: options.stableIncludesZa ?? false,
    ...(options.from === undefined ? {} : { from: integer("--from", options.from) }),
  })
  const json = derivationJson(derivation, steps)
  print(output, json, [
    [`${derivation.scheme.definition.title}; ${json.optimiser}`, stepTable(derivation, steps)],
    ["Statements", statementTable(derivation)],
    ...(derivation.regions.length > 1 ? [["Regions (limits)", regionTable(derivation)] as [string, ReportTable]] : []),
    ["Assumptions", { columns: ["assumed"], rows: json.assumptions.map((text) => [text]) }],
  ])
  return 0
}
