import { isRefuted, type MeasuredClaim } from "../../../verify/compare/claim.js"
import { claimsJson } from "../../../verify/compare/claimTable.js"
import { taskCount } from "../../../verify/compare/measure.js"
import { settingName } from "../../../verify/compare/setting.js"
import { BUDGET, SETTINGS, verifyTheorySetting } from "../../../verify/theory/theorySetting.js"
import { InputError } from "../../inputError.js"
import { integer } from "../../optionText.js"
import type { SweepOptions } from "../../sweep/sweep.js"
import { readableClaims } from "../readableClaims.js"
import type { FindVerification } from "./verification.js"

/** The claims of the theory's setting: all, or those whose names begin as typed. */
export const claims: FindVerification = (names, { seeds: typed, budget }) => {
  if (!names.every(isSettingName)) return null
  const chosen = SETTINGS.filter(
    (setting) => names.length === 0 || names.some((name) => matches(settingName(setting), name)),
  )
  const seeds = typed === undefined ? BUDGET.seeds : integer("--seeds", typed, 2)
  const seconds = budget === undefined ? null : duration(budget)
  return {
    label: "measuring",
    tasks: taskCount(chosen, { ...BUDGET, seeds }),
    run: async (options) => {
      const measure = (count: number, sweepOptions: SweepOptions) =>
        verifyTheorySetting(chosen, { ...BUDGET, seeds: count }, sweepOptions)
      const found = seconds === null ? await measure(seeds, options) : await within(seconds, measure, options)
      return {
        json: claimsJson(found),
        readable: readableClaims("Derived against measured, feature level", found),
        refuted: found.some(isRefuted),
      }
    },
  }
}

/** The names of the settings, as typed. */
export const SETTING_NAMES: readonly string[] = SETTINGS.map(settingName)

/** Whether a name stands for settings: it is the name of one, or begins it. */
export function isSettingName(name: string): boolean {
  return SETTING_NAMES.some((full) => matches(full, name))
}

/** Seeds are doubled while the next round is expected to fit. */
async function within(
  seconds: number,
  measure: (seeds: number, options: SweepOptions) => Promise<MeasuredClaim[]>,
  options: SweepOptions,
): Promise<MeasuredClaim[]> {
  const start = performance.now()
  for (let count = 8; ; count *= 2) {
    const found = await measure(count, options)
    const elapsed = (performance.now() - start) / 1000
    if (3 * elapsed > seconds) return found
  }
}

function matches(full: string, typed: string): boolean {
  return full === typed || full.startsWith(`${typed}/`)
}

function duration(text: string): number {
  const match = /^(\d+)(s|m)$/.exec(text)
  if (match === null || Number(match[1]) === 0)
    throw new InputError({ field: "--budget", given: text, allowed: "seconds or minutes", example: "--budget 60s" })
  return Number(match[1]) * (match[2] === "m" ? 60 : 1)
}
