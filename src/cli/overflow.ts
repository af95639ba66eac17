import { LOST_BUDGET, type LostVerdict, lostUpdates } from "../../verify/lostUpdates.js"
import { OVERFLOW_CASES, type OverflowVerdict, overflow } from "../../verify/overflow.js"
import { InputError } from "../inputError.js"
import { environment } from "../report/environment.js"
import type { ReportTable } from "../report/table.js"
import { openStore } from "../sweep/store.js"
import { createPool } from "../train/pool.js"
import { interruption, outputOptions, print, progress, threads } from "./terminal.js"
import type { VerifyOptions } from "./verifyOptions.js"

/** Overflow in float16 and lost updates in bfloat16, predicted and met; 1 if a prediction is missed. */
export async function overflowCommand(names: readonly string[], options: VerifyOptions): Promise<number> {
  const output = outputOptions(options)
  const known = [...OVERFLOW_CASES.map(({ name }) => name), LOST]
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new InputError({
      field: "claim",
      given: unknown,
      allowed: known.join(", "),
      example: "verify overflow init-a",
    })
  const isChosen = (name: string) => names.length === 0 || names.includes(name)
  const chosen = OVERFLOW_CASES.filter(({ name }) => isChosen(name))
  const pool = createPool(threads(options.workers))
  const store = await openStore(options.store, environment())
  const bar = progress("predicting and meeting", chosen.length + 1)
  try {
    const sweepOptions = { pool, store, signal: interruption.signal }
    const verdicts: OverflowVerdict[] = []
    for (const given of chosen) {
      verdicts.push(await overflow(given, sweepOptions))
      bar.tick()
    }
    const lost = isChosen(LOST) ? await lostUpdates(LOST_BUDGET, sweepOptions) : null
    bar.stop()
    const json = { schema: "lora-scaling/overflow/1", environment: environment(), cases: verdicts, lostUpdates: lost }
    const tables: [string, ReportTable][] = verdicts.map((verdict) => [heading(verdict), predictionTable(verdict)])
    if (verdicts.length > 0) tables.unshift(["Overflow, predicted and met", verdictTable(verdicts)])
    if (lost !== null) tables.push(lostTable(lost))
    print(output, json, tables)
    return [...verdicts, ...(lost === null ? [] : [lost])].some(({ verdict }) => verdict === "missed") ? 1 : 0
  } finally {
    bar.stop()
    await store.close()
    await pool.close()
  }
}

/** The name of the claim about lost updates. */
const LOST = "lost-updates"

function verdictTable(verdicts: readonly OverflowVerdict[]): ReportTable {
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

function heading({ case: { name, fitWidths } }: OverflowVerdict): string {
  return `${name}: tensors that overflow by the fits at n = ${fitWidths[0]} ... ${fitWidths.at(-1)}`
}

function predictionTable({ predicted }: OverflowVerdict): ReportTable {
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

function lostTable({ predicted, widths, met, verdict }: LostVerdict): [string, ReportTable] {
  return [
    `Updates of B lost in bfloat16 under Init[B] at c = -1, eta0 = ${LOST_BUDGET.rateConstant}: most of them predicted from n = ${predicted} on, met at ${met ?? "none"}: ${verdict}`,
    {
      columns: ["n", "part predicted", "part counted"],
      rows: widths.map((row) => [row.width, row.predicted.toFixed(4), row.counted.toFixed(4)]),
    },
  ]
}

function width(n: number): string {
  return Number.isFinite(n) ? `2^${Math.log2(n).toFixed(2)}` : "never"
}
