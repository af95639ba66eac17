import { sectionOf } from "../../../verify/experiment.js"
import { experiments } from "../../../verify/experiments.js"
import { InputError } from "../../inputError.js"
import { isUnexplained } from "../../report/document.js"
import { sectionLatex } from "../../report/latexDocument.js"
import { sectionMarkdown } from "../../report/markdownDocument.js"
import type { Section } from "../../report/section.js"
import { sectionJson } from "../../report/sectionJson.js"
import { renderTable, type TableFormat } from "../../report/table.js"
import { sectionText } from "../../report/textDocument.js"
import { screen } from "../terminal.js"
import type { FindVerification } from "./verification.js"

/** A section of the report; refuted if a finding is contradicted and no cause is named. */
export const section: FindVerification = ([id, ...others], options) => {
  const experiment = others.length === 0 ? experiments().find((one) => one.id === id) : undefined
  if (experiment === undefined) return null
  for (const field of ["seeds", "budget"] as const)
    if (options[field] !== undefined)
      throw new InputError({
        field: `--${field}`,
        given: options[field],
        allowed: `nothing with ${id}, whose sizes are quick and full`,
        example: `verify ${id} --full`,
      })
  const effort = { size: options.full ? "full" : "quick", seeds: 1 } as const
  return {
    label: "measuring",
    tasks: experiment.tasks(effort),
    run: async (sweepOptions) => {
      const found = await sectionOf(experiment, effort, sweepOptions)
      return {
        json: sectionJson(found, effort.size),
        readable: (format) => sectionTextIn(format, found),
        refuted: found.findings.some(isUnexplained),
      }
    },
  }
}

function sectionTextIn(format: TableFormat, found: Section): string {
  switch (format) {
    case "text":
      return sectionText(found, screen())
    case "markdown":
      return `${sectionMarkdown(found)}\n`
    case "latex":
      return `${sectionLatex(found)}\n`
    case "csv":
      return Object.values(found.data)
        .map((table) => renderTable(table, "csv"))
        .join("\n")
  }
}
