import { taskCount } from "../../verify/compare/measure.js"
import { theoryWide, WIDE_BUDGET, WIDE_SETTINGS, wideBytes, wideTable } from "../../verify/theory/theoryWide.js"
import { environment } from "../report/environment.js"
import { openStore } from "../sweep/store.js"
import { backendOption, openPool } from "./backendOption.js"
import { integer, interruption, outputOptions, print, progress, threads } from "./terminal.js"
import type { VerifyOptions } from "./verifyOptions.js"

/** Slopes at n = 2¹⁰ … 2²⁰ beside the derived exponents; 1 if one is off by more than the tolerance. */
export async function theoryWideCommand(options: VerifyOptions): Promise<number> {
  const output = outputOptions(options)
  const seeds = options.seeds === undefined ? WIDE_BUDGET.seeds : integer("--seeds", options.seeds, 2)
  const budget = { ...WIDE_BUDGET, seeds }
  const pool = await openPool(backendOption(options.backend), threads(options.workers))
  const planned = mebibytes(wideBytes(budget, pool.workers))
  process.stderr.write(
    `${planned} MiB of numbers on ${Math.max(1, pool.workers)} threads; the process takes about twice that\n`,
  )
  const store = await openStore(options.store, environment())
  const bar = progress("measuring", taskCount(WIDE_SETTINGS, budget))
  try {
    const start = performance.now()
    const before = process.cpuUsage()
    const slopes = await theoryWide(budget, { pool, store, signal: interruption.signal, onFinished: bar.tick })
    const seconds = (performance.now() - start) / 1000
    bar.stop()
    const { user, system } = process.cpuUsage(before)
    const cpuSeconds = (user + system) / 1e6
    const memory = { plannedMiB: planned, peakMiB: mebibytes(process.resourceUsage().maxRSS * 1024) }
    const heading = `n = 2^10 ... 2^20, ${seeds} seeds, ${pool.workers} threads: ${seconds.toFixed(0)} s (${cpuSeconds.toFixed(0)} s of processor time), ${memory.peakMiB} MiB at most`
    const claims = slopes.map(({ derived, ...rest }) => ({
      ...rest,
      derived: derived.kind === "zero" ? "-inf" : derived.exponent.toFraction(),
    }))
    const json = {
      schema: "lora-scaling/theory-wide/1",
      environment: environment(),
      budget,
      seconds,
      cpuSeconds,
      memory,
      claims,
    }
    print(output, json, [[heading, wideTable(slopes)]])
    return slopes.every(({ within }) => within) ? 0 : 1
  } finally {
    bar.stop()
    await store.close()
    await pool.close()
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20)
}
