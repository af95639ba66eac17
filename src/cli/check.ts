import { InputError } from "../inputError.js"
import { integer } from "../optionText.js"
import { backendOption, openPool } from "./backendOption.js"
import type { SettingOptions } from "./checkedSettings.js"
import type { MeasuredOptions } from "./checkMeasured.js"
import { measuring } from "./measuring.js"
import { threads } from "./threads.js"

/** Options of `check` as typed. */
export interface CheckCommandOptions extends SettingOptions, MeasuredOptions {
  readonly all?: boolean
  readonly seeds?: string
  readonly workers?: string
  readonly backend?: string
  readonly device?: string
  readonly store: string
}

/** Coordinate check: every quantity and alignment, derived and measured, with a verdict; 1 if one is contradicted. */
export async function checkCommand(name: string | undefined, options: CheckCommandOptions): Promise<number> {
  requireOneOrAll(name, options)
  if (options.measured !== undefined) return (await import("./checkMeasured.js")).checkMeasured(name!, options)
  const given = options.seeds === undefined ? {} : { seeds: integer("--seeds", options.seeds, 2) }
  const pool = await openPool(backendOption(options.backend), {
    workers: threads(options.workers),
    device: options.device,
  })
  // What reads schemes, derives and judges takes as long to load as threads to start.
  const loaded = import("./checkedCoordinates.js")
  const asked = loaded.then(async ({ checkedSettings, outputOptions }) => {
    return { output: outputOptions(options), settings: await checkedSettings(name, options) }
  })
  const tasks = async () => {
    const { settings } = await asked
    return (await loaded).checkTasks(settings, given)
  }
  const claims = await measuring({ pool, store: options.store, label: "measuring", tasks }, async (sweepOptions) => {
    const { settings } = await asked
    return (await loaded).coordinateCheck(settings, given, sweepOptions)
  })
  const { claimsJson, coordinateFigure, coordinatePoints, isRefuted, print, readableClaims } = await loaded
  print((await asked).output, claimsJson(claims), readableClaims("Derived against measured", claims))
  if (options.figure !== undefined) {
    const { figure } = options
    const [{ renderFigure }, { writeFileAtomic }, { written }] = await Promise.all([
      import("../report/figure.js"),
      import("../writeFileAtomic.js"),
      import("../written.js"),
    ])
    const { svg } = await renderFigure(coordinateFigure(coordinatePoints(claims)))
    await written("--figure", figure, () => writeFileAtomic(figure, svg))
  }
  return claims.some(isRefuted) ? 1 : 0
}

/** @throws InputError for neither a scheme nor --all, for both, and for what is one scheme's beside --all. */
function requireOneOrAll(name: string | undefined, options: CheckCommandOptions): void {
  if ((name === undefined) !== (options.all ?? false))
    throw new InputError({
      field: "scheme",
      given: name ?? "nothing",
      allowed: "either one scheme or --all",
      example: "check init-a --set c=-1/2",
    })
  if (!options.all) return
  if (options.measured !== undefined)
    throw new InputError({
      field: "--measured",
      given: "--all",
      allowed: "one scheme",
      example: "check lora --set c=0 --measured coords.csv",
    })
  const single = (["figure", "optimiser", "loss", "batch", "clip"] as const).find((name) => options[name] !== undefined)
  if (options.set.length > 0 || single !== undefined)
    throw new InputError({
      field: single === undefined ? "--set" : `--${single}`,
      given: single === undefined ? options.set.join(" ") : options[single]!,
      allowed: "one scheme, without --all",
      example: "check init-a --set c=-1/2 --figure check.svg",
    })
}
