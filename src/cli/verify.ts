import { type Claim, isRefuted } from "../../verify/compare/claim.js"
import { claimsJson, claimsTable } from "../../verify/compare/claimTable.js"
import { BUDGET, taskCount } from "../../verify/compare/measure.js"
import { settingName } from "../../verify/compare/setting.js"
import { SETTINGS, verifyTheorySetting } from "../../verify/theory/theorySetting.js"
import { InputError } from "../inputError.js"
import { environment } from "../report/environment.js"
import { openStore } from "../sweep/store.js"
import { backendOption, openPool } from "./backendOption.js"
import { integer, interruption, outputOptions, print, progress, threads } from "./terminal.js"
import type { VerifyOptions } from "./verifyOptions.js"

/** Derived against measured in the theory's setting; 1 if a claim is contradicted. */
export async function verifyCommand(names: readonly string[], options: VerifyOptions): Promise<number> {
  const [experiment, ...others] = names
  if (experiment === "theory-wide" && others.length === 0)
    return (await import("./theoryWide.js")).theoryWideCommand(options)
  const isClaim = (name: string) => SETTINGS.some((setting) => matches(settingName(setting), name))
  // Sections bring the whole report with them, which a claim does not need.
  if (experiment !== undefined && others.length === 0 && !isClaim(experiment)) {
    const { EXPERIMENT_IDS, experimentCommand } = await import("./experiment.js")
    if (EXPERIMENT_IDS.includes(experiment)) return experimentCommand(experiment, options)
  }
  if (experiment === "overflow" && backendOption(options.backend) === "gpu")
    throw new InputError({
      field: "--backend",
      given: "gpu",
      allowed: "cpu: precisions are the reference interpreter's",
      example: "verify overflow --backend cpu",
    })
  if (experiment === "overflow") return (await import("./overflow.js")).overflowCommand(others, options)
  const output = outputOptions(options)
  const chosen = SETTINGS.filter(
    (setting) => names.length === 0 || names.some((name) => matches(settingName(setting), name)),
  )
  const unknown = names.find((name) => !isClaim(name))
  if (unknown !== undefined)
    throw new InputError({
      field: "claim",
      given: unknown,
      allowed: `theory-wide, overflow, interval-coverage, or ${SETTINGS.map(settingName).join(", ")}`,
      example: "verify init-a/c=-1/2",
    })
  const seeds = options.seeds === undefined ? BUDGET.seeds : integer("--seeds", options.seeds, 2)
  const seconds = options.budget === undefined ? null : duration(options.budget)
  const pool = await openPool(backendOption(options.backend), threads(options.workers))
  const store = await openStore(options.store, environment())
  const bar = progress("measuring", taskCount(chosen, { ...BUDGET, seeds }))
  try {
    const sweepOptions = { pool, store, signal: interruption.signal, onFinished: bar.tick }
    const start = performance.now()
    let claims: Claim[] = []
    // With a budget, seeds are doubled while the next round is expected to fit.
    for (let count = seconds === null ? seeds : 8; ; count *= 2) {
      claims = await verifyTheorySetting(chosen, { ...BUDGET, seeds: count }, sweepOptions)
      const elapsed = (performance.now() - start) / 1000
      if (seconds === null || 3 * elapsed > seconds) break
    }
    bar.stop()
    print(output, claimsJson(claims), [["Derived against measured, feature level", claimsTable(claims)]])
    return claims.some(isRefuted) ? 1 : 0
  } finally {
    bar.stop()
    await store.close()
    await pool.close()
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
