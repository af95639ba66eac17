import { taskCount } from "../../../verify/compare/measure.js"
import {
  theoryWide as measured,
  WIDE_BUDGET,
  WIDE_SETTINGS,
  wideBytes,
  wideTable,
} from "../../../verify/theory/theoryWide.js"
import { integer } from "../../optionText.js"
import { environment } from "../../report/environment.js"
import type { FindVerification } from "./verification.js"

/** Slopes at n = 2¹⁰ … 2²⁰ beside the derived exponents; refuted if one is off by more than the tolerance. */
export const theoryWide: FindVerification = (names, options) => {
  if (names.length !== 1 || names[0] !== "theory-wide") return null
  const seeds = options.seeds === undefined ? WIDE_BUDGET.seeds : integer("--seeds", options.seeds, 2)
  const budget = { ...WIDE_BUDGET, seeds }
  const planned = (workers: number) => mebibytes(wideBytes(budget, workers))
  return {
    label: "measuring",
    tasks: taskCount(WIDE_SETTINGS, budget),
    notice: (workers) =>
      `${planned(workers)} MiB of numbers on ${Math.max(1, workers)} threads; the process takes about twice that`,
    run: async (sweepOptions) => {
      const { workers } = sweepOptions.pool
      const start = performance.now()
      const before = process.cpuUsage()
      const slopes = await measured(budget, sweepOptions)
      const seconds = (performance.now() - start) / 1000
      const { user, system } = process.cpuUsage(before)
      const cpuSeconds = (user + system) / 1e6
      const memory = { plannedMiB: planned(workers), peakMiB: mebibytes(process.resourceUsage().maxRSS * 1024) }
      const heading = `n = 2^10 ... 2^20, ${seeds} seeds, ${workers} threads: ${seconds.toFixed(0)} s (${cpuSeconds.toFixed(0)} s of processor time), ${memory.peakMiB} MiB at most`
      const claims = slopes.map(({ derived, ...rest }) => ({
        ...rest,
        derived: derived.kind === "zero" ? "-inf" : derived.exponent.toFraction(),
      }))
      return {
        json: {
          schema: "lora-scaling/theory-wide/1",
          environment: environment(),
          budget,
          seconds,
          cpuSeconds,
          memory,
          claims,
        },
        readable: [[heading, wideTable(slopes)]],
        refuted: slopes.some(({ within }) => !within),
      }
    },
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
