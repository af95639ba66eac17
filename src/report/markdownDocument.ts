import {
  againstOf,
  askedLine,
  claims,
  claimText,
  countsOf,
  environmentTable,
  findingsOf,
  findingsTable,
  type ReportDocument,
  reasonOf,
  spentTable,
  summaryOf,
  summaryTable,
} from "./document.js"
import { fileName } from "./fileName.js"
import { lawTable, OPENING } from "./opening.js"
import type { Section, SectionPart } from "./section.js"
import { renderTable } from "./table.js"

/**
 * A section as Markdown: its question answered, its summary, then what was measured.
 *
 * @param figures the folder of the figures; without one a figure is its caption.
 */
export function sectionMarkdown(section: Section, figures?: string): string {
  const { title, answer, claim, parts, findings } = section
  const asked = askedLine(section)
  return [
    `## ${title}`,
    ...(answer === null ? [] : [`**${answer.question}** ${answer.text.trim()}`, `*${summaryOf(section)}*`]),
    claim.trim(),
    ...parts.map((part) => partMarkdown(section, part, figures)),
    ...(findings.length === 0 ? [] : ["**Findings**", renderTable(findingsTable(findings), "markdown").trim()]),
    ...(asked === null ? [] : [asked]),
  ].join("\n\n")
}

function partMarkdown(section: { readonly id: string }, part: SectionPart, figures: string | undefined): string {
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
    ...openingMarkdown(document),
    preface.trim(),
    ...chapters.map(({ section }) => sectionMarkdown(section, "figures")),
    "## All findings",
    `${countsOf(findingsOf(document))}.`,
    renderTable(summaryTable(document), "markdown").trim(),
    "## What it took",
    renderTable(spentTable(document), "markdown").trim(),
    "## Environment",
    renderTable(environmentTable(document), "markdown").trim(),
  ].join("\n\n")}\n`
}

function openingMarkdown(document: ReportDocument): string[] {
  const { opening } = document
  const against = ["**Against the paper, or left open.**", againstMarkdown(document)]
  if (opening === null) return against
  return [
    `**${opening.question}**`,
    opening.answer.trim(),
    renderTable(lawTable(opening), "markdown").trim(),
    partMarkdown(OPENING, { kind: "figure", ...opening.figure }, "figures"),
    `**If you fine-tune.** ${opening.practice.trim()}`,
    ...against,
  ]
}

/** What was contradicted, each with its cause, and how much was left open; Markdown. */
export function againstMarkdown(document: ReportDocument): string {
  const { contradicted, open, asked } = againstOf(document)
  const lines = [
    ...contradicted.map((finding) => `- ${claimText(finding)}: *${finding.verdict}*; ${reasonOf(finding)}`),
    ...(contradicted.length === 0 ? ["- Nothing measured here contradicts what is derived."] : []),
    ...(open.length === 0 ? [] : [`- ${claims(open.length)} undecided: the intervals are too wide.`]),
    ...(asked === 0 ? [] : [`- ${claims(asked)} asked at full size: these runs are too few to decide them.`]),
  ]
  return lines.join("\n")
}
