import type { Experiment } from "../../verify/experiment.js"
import { experiments } from "../../verify/experiments.js"
import { InputError } from "../inputError.js"
import { isUnexplained } from "../report/document.js"
import { environment } from "../report/environment.js"
import { sectionLatex } from "../report/latexDocument.js"
import { sectionMarkdown } from "../report/markdownDocument.js"
import type { Section } from "../report/section.js"
import { sectionJson } from "../report/sectionJson.js"
import { renderTable, type TableFormat } from "../report/table.js"
import { sectionText } from "../report/textDocument.js"
import { openStore } from "../sweep/store.js"
import { backendOption, openPool } from "./backendOption.js"
import { interruption, outputOptions, progress, threads } from "./terminal.js"
import type { VerifyOptions } from "./verifyOptions.js"

const EXPERIMENTS = experiments()

/** The experiments' names, as typed. */
export const EXPERIMENT_IDS: readonly string[] = EXPERIMENTS.map(({ id }) => id)

/** One experiment of the report, its section printed; 1 if a finding is contradicted and no cause is named. */
export async function experimentCommand(id: string, options: VerifyOptions): Promise<number> {
  const output = outputOptions(options)
  for (const field of ["seeds", "budget"] as const)
    if (options[field] !== undefined)
      throw new InputError({
        field: `--${field}`,
        given: options[field],
        allowed: `nothing with ${id}, whose sizes are quick and full`,
        example: `verify ${id} --full`,
      })
  const experiment: Experiment = EXPERIMENTS.find((one) => one.id === id)!
  const effort = { size: options.full ? "full" : "quick", seeds: 1 } as const
  const pool = await openPool(backendOption(options.backend), threads(options.workers))
  const store = await openStore(options.store, environment())
  const bar = progress("measuring", experiment.tasks(effort))
  try {
    const sweepOptions = { pool, store, signal: interruption.signal, onFinished: bar.tick }
    const section = await experiment.run(effort, sweepOptions)
    bar.stop()
    process.stdout.write(
      output.json ? `${JSON.stringify(sectionJson(section, effort.size), null, 2)}\n` : printed(section, output.format),
    )
    return section.findings.some(isUnexplained) ? 1 : 0
  } finally {
    bar.stop()
    await store.close()
    await pool.close()
  }
}

function printed(section: Section, format: TableFormat): string {
  switch (format) {
    case "text":
      return sectionText(section)
    case "markdown":
      return `${sectionMarkdown(section)}\n`
    case "latex":
      return `${sectionLatex(section)}\n`
    case "csv":
      return Object.values(section.data)
        .map((table) => renderTable(table, "csv"))
        .join("\n")
  }
}
