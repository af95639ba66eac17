/**
 * Claim: at n = 2¹⁰ … 2²⁰ the plain slopes of Z_A, B, Z_B, δ¹, δ² and δ³ lie within 0.02 of the derived exponents at
 * every step, for Init[A] at −1/2, Init[B] at −1 and LoRA+ at (−1, 0).
 */
import type { Terms } from "../../src/derive/terms.js"
import type { ReportTable } from "../../src/report/table.js"
import { scheme } from "../../src/scheme/scheme.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import { bytesOfRun } from "../../src/train/memory.js"
import type { Budget } from "../compare/budget.js"
import { claimName, judgeMeasurements, type MeasuredClaim } from "../compare/claim.js"
import { measure } from "../compare/measure.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { type Setting, settingAt } from "../compare/setting.js"
import { powersOfTwo } from "../compare/widths.js"

/** How far a plain slope may lie from the derived exponent. */
const TOLERANCE = 0.02

export const WIDE_BUDGET: Budget = {
  widths: powersOfTwo(10, 20),
  rank: 4,
  steps: 3,
  seeds: 32,
  firstSeed: FIRST_SEED.theoryWide,
  seedsPerTask: 4,
}

const QUANTITIES = ["zA", "b", "zB", "delta1", "delta2", "delta3"]

const at = (name: string, values: Record<string, string>) => settingAt(name, values, { optimiser: "sign" })

/** The three schemes at their largest stable rates. */
export const WIDE_SETTINGS: readonly Setting[] = [
  at("init-a", { c: "-1/2" }),
  at("init-b", { c: "-1" }),
  at("lora-plus", { cA: "-1", cB: "0" }),
]

/** One slope beside its exponent. */
export interface WideSlope {
  readonly id: string
  readonly derived: Terms
  /** Of the root mean square over seeds; null where every value is zero. */
  readonly slope: number | null
  /** Between neighbouring widths, the narrowest first: where the asymptotics begin. */
  readonly local: readonly number[]
  readonly within: boolean
  readonly verdict: MeasuredClaim["measured"]["verdict"]
}

/** The bytes of numbers that the widest runs hold on that many threads. */
export function wideBytes({ widths, rank, steps }: Budget, workers: number): number {
  const runs = WIDE_SETTINGS.map(({ definition, values }) =>
    bytesOfRun(scheme(definition, values), { width: Math.max(...widths), rank, steps, seed: 0 }),
  )
  return Math.max(1, workers) * Math.max(...runs)
}

/** The slopes of every quantity at every step, with their verdicts. */
export async function theoryWide(budget: Budget, options: SweepOptions): Promise<WideSlope[]> {
  const measurements = await measure(WIDE_SETTINGS, budget, options)
  return judgeMeasurements(WIDE_SETTINGS, budget, measurements, { quantitiesOf: () => QUANTITIES }).map(
    (claim): WideSlope => {
      const { derived, measured } = claim
      const { plain, verdict } = measured
      const within =
        derived.kind === "zero"
          ? verdict === "agrees"
          : plain !== null && Math.abs(plain.exponent - derived.exponent.valueOf()) <= TOLERANCE
      return {
        id: claimName(claim),
        derived,
        slope: plain?.exponent ?? null,
        local: plain?.local ?? [],
        within,
        verdict,
      }
    },
  )
}

/** The slopes as a table. */
export function wideTable(slopes: readonly WideSlope[]): ReportTable {
  return {
    columns: ["claim", "derived", "slope", "difference", `within ${TOLERANCE}`, "verdict", "first local", "last local"],
    rows: slopes.map(({ id, derived, slope, local, within, verdict }) => {
      const exponent = derived.kind === "zero" ? null : derived.exponent
      return [
        id,
        exponent?.toFraction() ?? "-inf",
        slope?.toFixed(4) ?? "-inf",
        slope === null || exponent === null ? "" : (slope - exponent.valueOf()).toFixed(4),
        within ? "yes" : "no",
        verdict,
        local[0]?.toFixed(3) ?? "",
        local.at(-1)?.toFixed(3) ?? "",
      ]
    }),
  }
}
