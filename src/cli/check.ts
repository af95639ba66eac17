import { InputError } from "../inputError.js"
import { integer } from "../optionText.js"
import { writeFileAtomic } from "../report/files.js"
import { BLOCK_SCHEMES } from "../scheme/blocks.js"
import { CATALOGUE } from "../scheme/catalogue.js"
import type { VariantOptions } from "../scheme/variant.js"
import { backendOption, openPool } from "./backendOption.js"
import type { MeasuredOptions } from "./checkMeasured.js"
import { measuring } from "./measuring.js"
import { outputOptions, print, schemeWith, settings, threads } from "./terminal.js"

/** Options of `check` as typed. */
export interface CheckCommandOptions extends VariantOptions, MeasuredOptions {
  readonly all?: boolean
  readonly set: readonly string[]
  readonly seeds?: string
  readonly workers?: string
  readonly backend?: string
  readonly device?: string
  readonly store: string
  readonly json?: boolean
  readonly format: string
}

/** Coordinate check: every quantity and alignment, derived and measured, with a verdict; 1 if one is contradicted. */
export async function checkCommand(name: string | undefined, options: CheckCommandOptions): Promise<number> {
  const output = outputOptions(options)
  if ((name === undefined) !== (options.all ?? false))
    throw new InputError({
      field: "scheme",
      given: name ?? "nothing",
      allowed: "either one scheme or --all",
      example: "check init-a --set c=-1/2",
    })
  const single = (["figure", "optimiser", "loss", "batch", "clip"] as const).find((name) => options[name] !== undefined)
  if (options.all && (options.set.length > 0 || single !== undefined))
    throw new InputError({
      field: single === undefined ? "--set" : `--${single}`,
      given: single === undefined ? options.set.join(" ") : options[single]!,
      allowed: "one scheme, without --all",
      example: "check init-a --set c=-1/2 --figure check.svg",
    })
  const definitions = name === undefined ? [...CATALOGUE, ...BLOCK_SCHEMES] : [await schemeWith(name, options)]
  const chosen = definitions.map((definition) => ({
    definition,
    values: { ...definition.example, ...settings(options.set) },
  }))
  if (options.measured !== undefined) {
    if (name === undefined)
      throw new InputError({
        field: "--measured",
        given: "--all",
        allowed: "one scheme",
        example: "check lora --set c=0 --measured coords.csv",
      })
    const { checkMeasured } = await import("./checkMeasured.js")
    return checkMeasured(chosen[0]!, options, output)
  }
  const given = options.seeds === undefined ? {} : { seeds: integer("--seeds", options.seeds, 2) }
  const pool = await openPool(backendOption(options.backend), {
    workers: threads(options.workers),
    device: options.device,
  })
  // What derives and judges takes as long to load as threads to start.
  const loaded = import("./checkedCoordinates.js")
  const claims = await measuring(
    {
      pool,
      store: options.store,
      label: "measuring",
      tasks: async () => (await loaded).checkTasks(chosen, given),
    },
    async (sweepOptions) => (await loaded).coordinateCheck(chosen, given, sweepOptions),
  )
  const { claimsJson, claimsTable, coordinateFigure, coordinatePoints, isRefuted } = await loaded
  print(output, claimsJson(claims), [["Coordinate check: derived against measured", claimsTable(claims)]])
  if (options.figure !== undefined) {
    const { renderFigure } = await import("../report/figure.js")
    await writeFileAtomic(options.figure, (await renderFigure(coordinateFigure(coordinatePoints(claims)))).svg)
  }
  return claims.some(isRefuted) ? 1 : 0
}
