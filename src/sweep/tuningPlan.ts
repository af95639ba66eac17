/** What a sweep of fine-tunings takes on graphics cards. */
import { CARDS } from "../train/tuning/cost/cards.js"
import { type CardEstimate, onCard } from "../train/tuning/cost/estimate.js"
import type { FineTuneSweep } from "./fineTuneConfig.js"
import type { PlannedRun } from "./plannedRun.js"

/** The runs of one model on one card. */
export interface CardPlan extends CardEstimate {
  readonly checkpoint: string
  readonly card: string
  readonly runs: number
  /** Of a run. */
  readonly steps: number
}

/** For each model, what its runs take on each card that is known. */
export function cardPlans(config: FineTuneSweep, runs: readonly PlannedRun[]): CardPlan[] {
  const { facts, precision, expected, torch } = config
  const processes = torch?.processes ?? 1
  return (facts?.checkpoints ?? []).flatMap(({ path }) => {
    const own = runs.flatMap(({ task }) => (task.kind === "finetune" && task.files.checkpoint === path ? [task] : []))
    const [first] = own
    if (first === undefined) return []
    const { steps, size, accumulate, length, sites, layers, rank } = first.config
    const { model, classes } = first.files
    const part = { sites, layers, rank, classes, tokens: length }
    const judged = expected?.judged ?? null
    return CARDS.map((card) => ({
      checkpoint: path,
      card: processes === 1 ? card.name : `${processes} × ${card.name}`,
      runs: own.length,
      steps,
      ...onCard(card, { model, part, precision, size, accumulate, steps, judged, torch: torch ?? {} }),
    }))
  })
}
