import { reproduce, reproductionTasks } from "../../verify/reproduce.js"
import { InputError } from "../inputError.js"
import { environment } from "../report/environment.js"
import { requireReplaceable } from "../report/files.js"
import { openStore } from "../sweep/store.js"
import { backendOption, openPool } from "./backendOption.js"
import { interruption, progress, threads } from "./terminal.js"

/** Options of `reproduce` as typed. */
export interface ReproduceOptions {
  readonly quick?: boolean
  readonly full?: boolean
  readonly out: string
  readonly store?: string
  readonly workers?: string
  readonly backend?: string
  readonly json?: boolean
}

/** The whole report into one folder; 1 if a claim is contradicted. */
export async function reproduceCommand(options: ReproduceOptions): Promise<number> {
  if (options.quick && options.full)
    throw new InputError({ field: "--full", given: "--quick --full", allowed: "one of the two", example: "--quick" })
  const size = options.full ? "full" : "quick"
  const marker = "environment.json"
  await requireReplaceable(options.out, marker)
  const pool = await openPool(backendOption(options.backend), threads(options.workers))
  const store = await openStore(options.store ?? `${options.out.replace(/\/+$/, "")}.duckdb`, environment())
  const bar = progress("reproducing", reproductionTasks(size))
  try {
    const summary = await reproduce(
      { size, out: options.out, marker },
      { pool, store, signal: interruption.signal, onFinished: bar.tick },
    )
    bar.stop()
    const { agrees, contradicts, inconclusive } = summary.verdicts
    const line = `${options.out}/report.md: ${agrees} agree, ${contradicts} contradict, ${inconclusive} inconclusive; ${summary.covered} of ${summary.cases} intervals cover\n`
    process.stdout.write(
      options.json ? `${JSON.stringify({ schema: "lora-scaling/reproduce/1", ...summary }, null, 2)}\n` : line,
    )
    return contradicts > 0 ? 1 : 0
  } finally {
    bar.stop()
    await store.close()
    await pool.close()
  }
}
