import { askedLine, findingsTable, summaryOf } from "./document.js"
import type { Section, SectionPart } from "./section.js"
import { renderTable } from "./table.js"
import { type Screen, UNBOUNDED } from "./textTable.js"

/** A section for a terminal: texts as they are, tables aligned, a figure's caption. */
export function sectionText(section: Section, screen: Screen = UNBOUNDED): string {
  const { title, answer, claim, parts, findings } = section
  const asked = askedLine(section)
  return `${[
    `${title}\n${"=".repeat(title.length)}`,
    ...(answer === null ? [] : [`${answer.question} ${answer.text.trim()}`, summaryOf(section)]),
    claim.trim(),
    ...parts.map((part) => partText(part, screen)),
    ...(findings.length === 0 ? [] : [`Findings\n\n${renderTable(findingsTable(findings), "text", screen)}`.trimEnd()]),
    ...(asked === null ? [] : [asked]),
  ].join("\n\n")}\n`
}

function partText(part: SectionPart, screen: Screen): string {
  switch (part.kind) {
    case "text":
      return part.text.trim()
    case "table":
      return `${part.caption}\n\n${renderTable(part.table, "text", screen)}`.trimEnd()
    case "figure":
      return `(figure: ${part.caption})`
  }
}
