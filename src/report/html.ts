import { micromark } from "micromark"
import {
  countsOf,
  environmentTable,
  findingsOf,
  findingsTable,
  type ReportDocument,
  reasonOf,
  spentTable,
} from "./document.js"
import { fileName } from "./fileName.js"
import type { Section, SectionFinding, SectionPart } from "./section.js"
import { STYLE } from "./style.js"
import type { ReportTable } from "./table.js"

/** A table of more rows is folded until asked for. */
const FOLDED = 30

const SIGNS: Readonly<Record<SectionFinding["verdict"], string>> = { agrees: "✓", contradicts: "✗", inconclusive: "?" }

/**
 * The report as one HTML file that loads nothing.
 *
 * @param svg a figure by its file's name.
 */
export function documentHtml(document: ReportDocument, svg: (file: string) => string): string {
  const { title, preface, chapters } = document
  const contents = chapters.map(({ section }) => `<li><a href="#${section.id}">${escapeHtml(section.title)}</a></li>`)
  return htmlPage(
    title,
    preface,
    `<nav><h2>Contents</h2><ol><li><a href="#findings">Findings</a></li>${contents.join("")}<li><a href="#environment">What it took; environment</a></li></ol></nav>
<main>
<section id="findings"><h2>Findings</h2><p>${countsOf(findingsOf(document))}.</p>${summary(document)}</section>
${chapters.map(({ section, command }) => sectionHtml(section, command, svg)).join("\n")}
<section id="environment"><h2>What it took; environment</h2>${tableHtml(spentTable(document))}${tableHtml(environmentTable(document))}</section>
</main>`,
  )
}

/** A page that loads nothing: a title, a preface in Markdown, and what follows it. */
export function htmlPage(title: string, preface: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>${escapeHtml(title)}</h1>${micromark(preface)}</header>
${body}
</body>
</html>
`
}

function summary(document: ReportDocument): string {
  const rows = findingsOf(document).map((finding) => [
    `<a href="#${finding.section.id}">${escapeHtml(finding.section.title)}</a>`,
    escapeHtml(finding.claim),
    verdictHtml(finding.verdict),
    escapeHtml(reasonOf(finding)),
  ])
  return htmlTable(["section", "claim", "verdict", "cause, or what would decide"], rows)
}

/** One section, its figures inlined. */
export function sectionHtml(section: Section, command: string, svg: (file: string) => string): string {
  const { id, title, claim, parts, findings } = section
  const numbers = Object.keys(section.data).map((name) => `<code>data/${fileName(section, name)}.csv</code>`)
  const made = numbers.length === 0 ? "" : `Numbers: ${numbers.join(", ")}, by `
  return `<section id="${id}"><h2>${escapeHtml(title)}</h2>
<div class="claim">${micromark(claim)}</div>
${parts.map((part) => partHtml(section, part, svg)).join("\n")}
${findings.length === 0 ? "" : `<h3>Findings</h3>${tableHtml(findingsTable(findings))}`}
<p class="made">${made}<code>${escapeHtml(command)}</code></p></section>`
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
        ? `<details><summary>${caption} (${length} rows)</summary>${table}</details>`
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

function tableHtml({ columns, rows }: ReportTable): string {
  const verdict = columns.indexOf("verdict")
  return htmlTable(
    columns,
    rows.map((row) =>
      row.map((cell, i) => (i === verdict && isVerdict(cell) ? verdictHtml(cell) : escapeHtml(String(cell ?? "")))),
    ),
  )
}

function htmlTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => `<th>${escapeHtml(column)}</th>`).join("")
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n")
  return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
}

function isVerdict(cell: unknown): cell is SectionFinding["verdict"] {
  return typeof cell === "string" && Object.hasOwn(SIGNS, cell)
}

function verdictHtml(verdict: SectionFinding["verdict"]): string {
  return `<span class="${verdict}">${SIGNS[verdict]} ${verdict}</span>`
}

/** One paragraph of Markdown without its paragraph. */
function inline(markdown: string): string {
  return micromark(markdown).replace(/^<p>([\s\S]*)<\/p>$/, "$1")
}

/** Text as HTML. */
function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
}
