import { derive } from "../derive/derive.js"
import { OPTIMISERS, type OptimiserName } from "../program/optimiser.js"
import { derivationJson, statementTable, stepTable } from "../report/derivation.js"
import { schemeNamed } from "../scheme/catalogue.js"
import { scheme } from "../scheme/scheme.js"
import { integer, oneOf, outputOptions, print, settings } from "./terminal.js"

/** Options of `derive` as typed. */
export interface DeriveOptions {
  readonly set: readonly string[]
  readonly steps: string
  readonly free: readonly string[]
  readonly level: string
  readonly from?: string
  readonly stableIncludesZa?: boolean
  readonly optimiser: string
  readonly json?: boolean
  readonly format: string
}

/** Exponents per step and in the limit, and the statements that follow from them. */
export async function deriveCommand(name: string, options: DeriveOptions): Promise<number> {
  const output = outputOptions(options)
  const optimiser = oneOf("--optimiser", options.optimiser, Object.keys(OPTIMISERS) as OptimiserName[])
  const steps = integer("--steps", options.steps)
  const derivation = derive(scheme({ ...schemeNamed(name), optimiser }, settings(options.set), options.free), {
    level: oneOf("--level", options.level, ["features", "output"]),
    stableIncludesZA: options.stableIncludesZa ?? false,
    ...(options.from === undefined ? {} : { from: integer("--from", options.from) }),
  })
  print(output, derivationJson(derivation, steps), [
    [`${derivation.scheme.definition.title}; ${optimiser}`, stepTable(derivation, steps)],
    ["Statements", statementTable(derivation)],
    ["Assumptions", { columns: ["assumed"], rows: derivation.assumptions.map((text) => [text]) }],
  ])
  return 0
}
