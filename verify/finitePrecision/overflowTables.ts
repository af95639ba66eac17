import type { ReportTable } from "../../src/report/table.js"
import { LOST_BUDGET, type LostVerdict } from "./lostUpdates.js"
import type { OverflowVerdict } from "./overflow.js"

/** Which tensor overflows first, and at which width: predicted, and met. */
export function overflowTable(verdicts: readonly OverflowVerdict[]): ReportTable {
  return {
    columns: ["case", "eta0", "t", "sums in", "predicted", "at n =", "met", "at n <=", "but not at", "verdict", "why"],
    rows: verdicts.map(({ case: { name, rateConstant, steps, precision }, predicted: [first], met, verdict, why }) => [
      name,
      rateConstant,
      steps,
      precision.accumulator,
      first?.tensor ?? "nothing",
      first === undefined ? "" : width(first.width),
      met?.tensor ?? "",
      met === null ? "" : width(met.width),
      met === null ? "" : width(met.above),
      verdict,
      why,
    ]),
  }
}

/** Every tensor of a case that overflows at some width by the fits. */
export function predictionTable({ predicted }: OverflowVerdict): ReportTable {
  return {
    columns: ["tensor", "format", "model", "e", "overflows at n =", "by single seeds", "by the other model"],
    rows: predicted.map(({ tensor, format, model, exponent, width: at, range, otherWidth }) => [
      tensor,
      format,
      model,
      exponent.toFixed(3),
      width(at),
      range.map(width).join(" ... "),
      width(otherWidth),
    ]),
  }
}

/** The part of the updates of B that bfloat16 loses, by width, under a heading. */
export function lostTable({ predicted, widths, met, verdict }: LostVerdict): [string, ReportTable] {
  return [
    `Updates of B lost in bfloat16 under Init[B] at c = -1, eta0 = ${LOST_BUDGET.rateConstant}: most of them predicted from n = ${predicted} on, met at ${met ?? "none"}: ${verdict}`,
    {
      columns: ["n", "part predicted", "part counted"],
      rows: widths.map((row) => [row.width, row.predicted.toFixed(4), row.counted.toFixed(4)]),
    },
  ]
}

/** A width as a power of two. */
function width(n: number): string {
  return Number.isFinite(n) ? `2^${Math.log2(n).toFixed(2)}` : "never"
}
