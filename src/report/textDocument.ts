import { findingsTable } from "./document.js"
import type { Section, SectionPart } from "./section.js"
import { renderTable } from "./table.js"

/** A section for a terminal: texts as they are, tables aligned, a figure's caption. */
export function sectionText({ title, claim, parts, findings }: Section): string {
  return `${[
    `${title}\n${"=".repeat(title.length)}`,
    claim.trim(),
    ...parts.map(partText),
    ...(findings.length === 0 ? [] : [`Findings\n\n${renderTable(findingsTable(findings), "text")}`.trimEnd()]),
  ].join("\n\n")}\n`
}

function partText(part: SectionPart): string {
  switch (part.kind) {
    case "text":
      return part.text.trim()
    case "table":
      return `${part.caption}\n\n${renderTable(part.table, "text")}`.trimEnd()
    case "figure":
      return `(figure: ${part.caption})`
  }
}
