/**
 * Claim: in the theory's setting (one sample, linear loss) every quantity's size follows its derived exponent, at every
 * step of the transient and beyond.
 */
import type { SweepOptions } from "../../src/sweep/sweep.js"
import { type Budget, USUAL } from "../compare/budget.js"
import { judgeMeasurements, type MeasuredClaim } from "../compare/claim.js"
import { measure } from "../compare/measure.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { type Setting, settingAt } from "../compare/setting.js"

export const BUDGET: Budget = { ...USUAL, seeds: 64, firstSeed: FIRST_SEED.theorySetting }

const at = (name: string, values: Record<string, string>, optimiser: "sign" | "adam" = "sign") =>
  settingAt(name, values, { optimiser })

/** Both of the paper's schemes on both sides of their bounds, LoRA+ on and off its ray, Init[AB]; both update rules. */
export const SETTINGS: readonly Setting[] = [
  ...["-1/4", "-1/2", "-3/4", "-1"].map((c) => at("init-a", { c })),
  ...["-1/4", "-1/2", "-3/4", "-1"].map((c) => at("init-b", { c })),
  at("lora-plus", { cA: "-1", cB: "0" }),
  at("lora-plus", { cA: "-3/4", cB: "-1/4" }),
  at("init-ab", { a0: "0", b0: "-1/2", cA: "-1/2", cB: "-1/2" }),
  at("init-a", { c: "-1/2" }, "adam"),
  at("init-b", { c: "-1" }, "adam"),
  at("lora-plus", { cA: "-1", cB: "0" }, "adam"),
]

/** The settings measured, and a verdict on every quantity at every step. */
export async function verifyTheorySetting(
  settings: readonly Setting[],
  budget: Budget,
  options: SweepOptions,
): Promise<MeasuredClaim[]> {
  return judgeMeasurements(settings, budget, await measure(settings, budget, options))
}
