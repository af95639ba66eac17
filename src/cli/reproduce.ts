import { experiments as experimentsOf } from "../../verify/experiments.js"
import { type Reproduction, reproduce, reproductionTasks } from "../../verify/reproduce.js"
import { InputError } from "../inputError.js"
import { integer, oneOf } from "../optionText.js"
import { isUnexplained } from "../report/document.js"
import { requireReplaceable } from "../report/files.js"
import { MARKER } from "../report/writeReport.js"
import { backendOption, openPool } from "./backendOption.js"
import { measuring } from "./measuring.js"
import { readingOf, type TableOptions } from "./tableOptions.js"
import { threads } from "./threads.js"

/** Options of `reproduce` as typed. */
export interface ReproduceOptions extends TableOptions {
  readonly quick?: boolean
  readonly full?: boolean
  readonly budget: string
  readonly only?: readonly string[]
  readonly table?: string
  readonly realFamily?: string
  readonly realEncoder?: string
  readonly realDecoder?: string
  readonly out: string
  readonly store?: string
  readonly workers?: string
  readonly backend?: string
  readonly device?: string
  readonly json?: boolean
}

/** The whole report into one folder; 1 if a claim is contradicted and no cause is named. */
export async function reproduceCommand(options: ReproduceOptions): Promise<number> {
  const reproduction = reproductionOf(options)
  await requireReplaceable(options.out, MARKER)
  const pool = await openPool(backendOption(options.backend), {
    workers: threads(options.workers),
    device: options.device,
  })
  const store = options.store ?? `${options.out.replace(/\/+$/, "")}.duckdb`
  const summary = await measuring(
    { pool, store, label: "reproducing", tasks: reproductionTasks(reproduction) },
    (sweepOptions) => reproduce(reproduction, sweepOptions),
  )
  const findings = summary.sections.flatMap(({ findings }) => findings)
  const line = `${options.out}/report.html: ${findings.length} findings: ${summary.counts}\n`
  process.stdout.write(
    options.json ? `${JSON.stringify({ schema: "lora-scaling/reproduce/3", ...summary }, null, 2)}\n` : line,
  )
  const unexplained = findings.filter(isUnexplained)
  for (const { claim } of unexplained) process.stderr.write(`contradicted, no cause named: ${claim}\n`)
  return unexplained.length > 0 ? 1 : 0
}

function reproductionOf(options: ReproduceOptions): Reproduction {
  const { quick, full, budget, only, table, out } = options
  const { realFamily: family, realEncoder: encoder, realDecoder: decoder } = options
  if (quick && full)
    throw new InputError({ field: "--full", given: "--quick --full", allowed: "one of the two", example: "--quick" })
  const source = table === undefined ? undefined : { path: table, ...readingOf(options, null) }
  const all = experimentsOf(source, { family, encoder, decoder })
  const ids = all.map(({ id }) => id)
  const chosen = only?.map((id) => oneOf("--only", id, ids))
  const experiments = all.filter(({ id }) => chosen?.includes(id) ?? true)
  const effort = { size: full ? "full" : "quick", seeds: integer("--budget", budget) } as const
  return { effort, experiments, partial: experiments.length < all.length, out }
}
