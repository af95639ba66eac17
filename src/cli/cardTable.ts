import { renderTable } from "../report/table.js"
import type { CardPlan } from "../sweep/tuningPlan.js"
import { UTILISATION } from "../train/tuning/cost/estimate.js"
import { screen } from "./terminal.js"

/** What fine-tunings take on cards, as a table, and what was assumed. */
export function cardTable(plans: readonly CardPlan[]): string {
  const rows = plans.map(({ checkpoint, card, bytes, fits, steps, training, judging, runs }) => [
    checkpoint,
    card,
    `${(bytes / 1e9).toFixed(1)} GB${fits ? "" : ", does not fit"}`,
    fits ? `${steps} steps in ${duration(training)}` : "",
    fits ? duration(judging) : "",
    fits ? `${runs} in ${duration(runs * (training + judging))}` : "",
  ])
  const columns = ["model", "card", "memory", "training of a run", "judging", "runs, one after the other"]
  return (
    `On one card by PyTorch, reckoned from operations and bytes; nothing was measured on these cards:\n` +
    `${renderTable({ columns, rows }, "text", screen())}` +
    `Sequences are counted at their full length; products are taken to reach ${100 * UTILISATION} % of the card's peak.\n`
  )
}

function duration(seconds: number): string {
  const [of, unit] = seconds < 100 ? [1, "s"] : seconds < 6000 ? [60, "min"] : [3600, "h"]
  return `${Number((seconds / of).toPrecision(2))} ${unit}`
}
