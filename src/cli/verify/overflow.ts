import { LOST_BUDGET, lostUpdates } from "../../../verify/finitePrecision/lostUpdates.js"
import { overflow as met, OVERFLOW_CASES, type OverflowVerdict } from "../../../verify/finitePrecision/overflow.js"
import { lostTable, overflowTable, predictionTable } from "../../../verify/finitePrecision/overflowTables.js"
import { InputError } from "../../inputError.js"
import { environment } from "../../report/environment.js"
import type { ReportTable } from "../../report/table.js"
import type { FindVerification } from "./verification.js"

/** Overflow in float16 and lost updates in bfloat16, predicted and met; refuted if a prediction is missed. */
export const overflow: FindVerification = ([first, ...names], _options, backend) => {
  if (first !== "overflow") return null
  if (backend === "gpu" || backend === "graph")
    throw new InputError({
      field: "--backend",
      given: backend,
      allowed: "cpu: precisions are the reference interpreter's",
      example: "verify overflow --backend cpu",
    })
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
  return {
    label: "predicting and meeting",
    tasks: chosen.length + 1,
    run: async ({ onFinished, ...options }) => {
      const verdicts: OverflowVerdict[] = []
      for (const given of chosen) {
        verdicts.push(await met(given, options))
        onFinished?.()
      }
      const lost = isChosen(LOST) ? await lostUpdates(LOST_BUDGET, options) : null
      const tables: [string, ReportTable][] = verdicts.map((verdict) => [heading(verdict), predictionTable(verdict)])
      if (verdicts.length > 0) tables.unshift(["Overflow, predicted and met", overflowTable(verdicts)])
      if (lost !== null) tables.push(lostTable(lost))
      return {
        json: { schema: "lora-scaling/overflow/1", environment: environment(), cases: verdicts, lostUpdates: lost },
        readable: tables,
        refuted: [...verdicts, ...(lost === null ? [] : [lost])].some(({ verdict }) => verdict === "missed"),
      }
    },
  }
}

/** The name of the claim about lost updates. */
const LOST = "lost-updates"

function heading({ case: { name, fitWidths } }: OverflowVerdict): string {
  return `${name}: tensors that overflow by the fits at n = ${fitWidths[0]} ... ${fitWidths.at(-1)}`
}
