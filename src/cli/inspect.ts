import { openCheckpoint } from "../checkpoint/open.js"
import { InputError } from "../inputError.js"
import { acrossRuns } from "../inspect/across.js"
import { examine } from "../inspect/catalogue.js"
import { measureRun } from "../inspect/measureRun.js"
import { readRuns, type TrainingRun } from "../inspect/run.js"
import { tableRows } from "../inspect/table.js"
import { environment } from "../report/environment.js"
import { type Examined, inspectionJson, inspectionSection, inspectionText, modulesTable } from "../report/inspection.js"
import { pageHtml } from "../report/page.js"
import { renderTable } from "../report/table.js"
import { writeFileAtomic } from "../writeFileAtomic.js"
import { written } from "../written.js"
import { outputOptions, screen } from "./terminal.js"
import { threads } from "./threads.js"

/** Options of `inspect` as typed. */
export interface InspectOptions {
  readonly base?: string
  readonly html?: string
  readonly table?: string
  readonly modules?: boolean
  readonly pickle?: boolean
  readonly workers?: string
  readonly json?: boolean
  readonly format: string
}

/** What happened in fine-tuning runs, told from their files; exit code 0 whatever is found. */
export async function inspectCommand(paths: readonly string[], options: InspectOptions): Promise<number> {
  const output = outputOptions(options)
  const workers = threads(options.workers)
  const runs: TrainingRun[] = []
  for (const path of paths) runs.push(...(await readRuns(path, options.pickle)))
  if (new Set(runs.map(({ path }) => path)).size < runs.length)
    throw new InputError({
      field: "path",
      given: paths.join(" "),
      allowed: "each run once",
      example: "inspect outputs",
    })
  const base = options.base === undefined ? null : await openCheckpoint(options.base)
  const examined: Examined[] = []
  try {
    for (const run of runs) {
      const measured = await measureRun(run, base, workers)
      examined.push({ measured, answers: examine(measured) })
    }
  } finally {
    await base?.close()
  }
  const across = acrossRuns(examined.map(({ measured }) => measured))
  if (output.json) process.stdout.write(`${JSON.stringify(inspectionJson(examined, across), null, 2)}\n`)
  else {
    for (const one of examined) {
      process.stdout.write(inspectionText(one))
      if (options.modules) process.stdout.write(`\n${renderTable(modulesTable(one.measured), output.format, screen())}`)
    }
    for (const { says } of across) process.stdout.write(`! Between the runs: ${says}\n`)
  }
  if (options.table !== undefined) {
    const rows = tableRows(examined.map(({ measured }) => measured))
    const columns = Object.keys(rows[0] ?? {}) as (keyof (typeof rows)[number] & string)[]
    const cells = rows.map((row) => columns.map((column) => row[column]))
    const { table } = options
    await written("--table", table, () => writeFileAtomic(table, renderTable({ columns, rows: cells }, "csv")))
  }
  if (options.html !== undefined) {
    const sections = examined.map((one, i) => inspectionSection(one, `run-${i + 1}`))
    const title = runs.length === 1 ? `What happened in ${runs[0]!.name}` : `What happened in ${runs.length} runs`
    const command = ["lora-scaling inspect", ...paths].join(" ")
    const preface = [
      `Told from the runs' files by lora-scaling ${environment().loraScaling}.`,
      ...across.map(({ says }) => says),
    ].join(" ")
    const { html } = options
    const page = await pageHtml(title, preface, sections, command)
    await written("--html", html, () => writeFileAtomic(html, page))
  }
  return 0
}
