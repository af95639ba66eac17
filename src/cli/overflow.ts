import { LOST_BUDGET, lostUpdates } from "../../verify/finitePrecision/lostUpdates.js"
import { OVERFLOW_CASES, type OverflowVerdict, overflow } from "../../verify/finitePrecision/overflow.js"
import { lostTable, overflowTable, predictionTable } from "../../verify/finitePrecision/overflowTables.js"
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
    if (verdicts.length > 0) tables.unshift(["Overflow, predicted and met", overflowTable(verdicts)])
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

function heading({ case: { name, fitWidths } }: OverflowVerdict): string {
  return `${name}: tensors that overflow by the fits at n = ${fitWidths[0]} ... ${fitWidths.at(-1)}`
}
