import {
  countsOf,
  environmentTable,
  findingsOf,
  findingsTable,
  type ReportDocument,
  spentTable,
  summaryTable,
} from "./document.js"
import { fileName } from "./fileName.js"
import type { Section, SectionPart } from "./section.js"
import { renderTable } from "./table.js"

/**
 * A section as Markdown.
 *
 * @param figures the folder of the figures; without one a figure is its caption.
 */
export function sectionMarkdown(section: Section, figures?: string): string {
  const { title, claim, parts, findings } = section
  return [
    `## ${title}`,
    claim.trim(),
    ...parts.map((part) => partMarkdown(section, part, figures)),
    ...(findings.length === 0 ? [] : ["**Findings**", renderTable(findingsTable(findings), "markdown").trim()]),
  ].join("\n\n")
}

function partMarkdown(section: Section, part: SectionPart, figures: string | undefined): string {
  switch (part.kind) {
    case "text":
      return part.text.trim()
    case "table":
      return `*${part.caption}*\n\n${renderTable(part.table, "markdown").trim()}`
    case "figure": {
      const picture = figures === undefined ? "" : `![](${figures}/${fileName(section, part.name)}.svg)\n\n`
      return `${picture}*Figure: ${part.caption}*`
    }
  }
}

/** The report as Markdown, its figures in `figures/`. */
export function documentMarkdown(document: ReportDocument): string {
  const { title, preface, chapters } = document
  return `${[
    `# ${title}`,
    preface.trim(),
    "## Findings",
    `${countsOf(findingsOf(document))}.`,
    renderTable(summaryTable(document), "markdown").trim(),
    ...chapters.map(({ section }) => sectionMarkdown(section, "figures")),
    "## What it took",
    renderTable(spentTable(document), "markdown").trim(),
    "## Environment",
    renderTable(environmentTable(document), "markdown").trim(),
  ].join("\n\n")}\n`
}
