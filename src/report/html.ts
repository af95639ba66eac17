import { micromark } from "micromark"
import { environmentTable, type ReportDocument, reasonOf, spentTable, summaryOf } from "./document.js"
import { fileName } from "./fileName.js"
import { findingsHtml } from "./findingsHtml.js"
import { claimHtml, escapeHtml, folded, htmlTable, inline, listHtml, tableHtml, verdictHtml } from "./htmlTable.js"
import { againstHtml, openingHtml } from "./openingHtml.js"
import type { Section, SectionFinding, SectionPart } from "./section.js"
import { STYLE } from "./style.js"

/** A table of more rows is folded until asked for. */
const FOLDED = 12

/**
 * The report as one HTML file that loads nothing: the answer, the sections, all findings, what it took.
 *
 * @param svg a figure by its file's name.
 */
export function documentHtml(document: ReportDocument, svg: (file: string) => string): string {
  const { title, opening, preface, chapters } = document
  const entries = chapters.map(
    ({ section }) =>
      `<li><a href="#${section.id}">${escapeHtml(section.title)}</a> <span>${escapeHtml(summaryOf(section))}</span></li>`,
  )
  const first =
    opening === null
      ? `<header><h1>${escapeHtml(title)}</h1>${againstHtml(document)}</header>`
      : openingHtml(document, opening, (file) => inlined(svg(file), file))
  return htmlPage(
    title,
    `${first}
<nav><h2>Contents</h2>${micromark(preface)}<ol>${entries.join("")}<li><a href="#findings">All findings</a></li><li><a href="#environment">What it took; environment</a></li></ol></nav>
<main>
${chapters.map(({ section, command }) => sectionHtml(section, command, svg)).join("\n")}
${findingsHtml(document)}
<section id="environment"><h2>What it took; environment</h2>${tableHtml(spentTable(document))}${tableHtml(environmentTable(document))}</section>
</main>`,
  )
}

/** A page that loads nothing. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`
}

/** One section: its question answered, its summary, then what was measured, figures inlined. */
export function sectionHtml(section: Section, command: string, svg: (file: string) => string): string {
  const { id, title, answer, claim, parts, findings, askedAtFullSize = [] } = section
  const numbers = Object.keys(section.data).map((name) => `<code>data/${fileName(section, name)}.csv</code>`)
  const made = numbers.length === 0 ? "" : `Numbers: ${numbers.join(", ")}, by `
  return `<section id="${id}"><h2>${escapeHtml(title)}</h2>
${answer === null ? "" : `<p class="question">${escapeHtml(answer.question)}</p><div class="answer">${micromark(answer.text)}</div><p class="summary">${escapeHtml(summaryOf(section))}</p>`}
<div class="claim">${micromark(claim)}</div>
${parts.map((part) => partHtml(section, part, svg)).join("\n")}
${findings.length === 0 ? "" : ownFindings(findings)}
${askedAtFullSize.length === 0 ? "" : folded(`Asked at full size: ${askedAtFullSize.length}`, listHtml(askedAtFullSize.map((finding) => `${claimHtml(finding)} <span class="why">${escapeHtml(reasonOf(finding))}</span>`)))}
<p class="made">${made}<code>${escapeHtml(command)}</code></p></section>`
}

function ownFindings(findings: readonly SectionFinding[]): string {
  const rows = findings.map((finding) => [
    claimHtml(finding),
    verdictHtml(finding.verdict),
    escapeHtml(reasonOf(finding)),
  ])
  const table = htmlTable(["claim", "verdict", "cause, or what would decide"], rows)
  return findings.length > FOLDED ? folded(`Findings (${findings.length})`, table) : `<h3>Findings</h3>${table}`
}

function partHtml(section: Section, part: SectionPart, svg: (file: string) => string): string {
  switch (part.kind) {
    case "text":
      return micromark(part.text)
    case "table": {
      const table = tableHtml(part.table)
      const { length } = part.table.rows
      const caption = inline(part.caption)
      return length > FOLDED
        ? folded(`${caption} (${length} rows)`, table)
        : `<p class="caption">${caption}</p>${table}`
    }
    case "figure": {
      const file = fileName(section, part.name)
      return `<figure id="${file}">${inlined(svg(file), file)}<figcaption>${inline(part.caption)}</figcaption></figure>`
    }
  }
}

/** An SVG within a page: the names of its parts are made its own, for they hold in the whole page. */
function inlined(svg: string, prefix: string): string {
  return svg.replace(/(\bid="|url\(#|href="#)/g, `$1${prefix}-`)
}
