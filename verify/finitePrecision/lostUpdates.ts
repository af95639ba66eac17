/**
 * Claim: under Init[B] at c = −1 most updates of B are lost in bfloat16 from n = 1024 η₀ on, and which part is lost at
 * a width follows from the distribution of B₀ alone: an entry b keeps its value where η₀/n is below half its last
 * digit.
 */
import { errorFunction } from "simple-statistics"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { type SweepOptions, sweep } from "../../src/sweep/sweep.js"
import { FORMATS } from "../../src/train/precision.js"
import { precisionOf } from "../../src/train/precisionConfig.js"
import type { Task } from "../../src/train/task.js"
import { FIRST_SEED } from "../compare/seeds.js"

/** How the lost updates are measured. */
export interface LostBudget {
  /** η₀ of the rate η₀/n. */
  readonly rateConstant: number
  readonly rank: number
  readonly seeds: number
  readonly firstSeed: number
}

export const LOST_BUDGET: LostBudget = { rateConstant: 1, rank: 4, seeds: 8, firstSeed: FIRST_SEED.lostUpdates }

/** Widths beside the predicted one; none makes η₀/n a power of two, where half the ties would be lost. */
const FACTORS = [0.51, 0.71, 0.97, 1.03, 1.41, 1.97]

/** The part may differ by this: numbers on the edge of a binade are not modelled. */
const TOLERANCE = 0.02

/** The part of the updates of B that is lost, predicted and counted. */
export interface LostVerdict {
  /** From this width on most updates are predicted to be lost. */
  readonly predicted: number
  readonly widths: readonly { readonly width: number; readonly predicted: number; readonly counted: number }[]
  /** The narrowest width run at which most are. */
  readonly met: number | null
  readonly verdict: "met" | "missed"
}

/** The deviation of B₀'s entries under Init[B]. */
const DEVIATION = 1 / 2

/** The part of N(0, deviation²) whose half last digit in bfloat16 is above the step. */
function lostPart(step: number): number {
  // An entry in [2^e, 2^(e+1)) has the half last digit 2^(e − digits).
  const binade = Math.floor(Math.log2(step) + FORMATS.bfloat16.digits) + 1
  return 1 - errorFunction(2 ** binade / DEVIATION / Math.SQRT2)
}

/** The verdict: the part at every width within the tolerance, and the majority passed where predicted. */
export async function lostUpdates(budget: LostBudget, options: SweepOptions): Promise<LostVerdict> {
  const { rateConstant, rank, seeds, firstSeed } = budget
  let predicted = 1
  while (lostPart(rateConstant / (1.01 * predicted)) < 1 / 2) predicted *= 2
  const widths = FACTORS.map((factor) => Math.round(factor * predicted))
  const definition = {
    ...schemeNamed("init-b"),
    optimiser: "sign" as const,
    rateConstants: { A: rateConstant, B: rateConstant },
  }
  // B rests in the first step, where Z_A = 0, and moves once in the second.
  const tasks = widths.map((width) => ({
    kind: "scheme" as const,
    definition,
    values: { c: "-1" },
    config: { width, rank, steps: 2, precision: precisionOf("bfloat16") },
    seeds: Array.from({ length: seeds }, (_, i) => firstSeed + i),
  })) satisfies Task[]
  const results = await sweep(tasks, options)
  const measured = widths.map((width, i) => {
    const lost = results[i]!.reduce((sum, { precision }) => sum + precision!.tensors.B!.lostUpdates, 0)
    return { width, predicted: lostPart(rateConstant / width), counted: lost / (seeds * rank * width) }
  })
  const met = measured.find(({ counted }) => counted > 1 / 2)?.width ?? null
  const isClose = measured.every((at) => Math.abs(at.predicted - at.counted) <= TOLERANCE)
  const isMet = isClose && met !== null && met > predicted / 2 && met <= 2 * predicted
  return { predicted, widths: measured, met, verdict: isMet ? "met" : "missed" }
}
