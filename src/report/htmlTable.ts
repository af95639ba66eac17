import { micromark } from "micromark"
import type { SectionFinding } from "./section.js"
import type { ReportTable } from "./table.js"

const SIGNS: Readonly<Record<SectionFinding["verdict"], string>> = { agrees: "✓", contradicts: "✗", inconclusive: "?" }

/** A table as HTML, its verdicts marked. */
export function tableHtml({ columns, rows }: ReportTable): string {
  const verdict = columns.indexOf("verdict")
  return htmlTable(
    columns,
    rows.map((row) =>
      row.map((cell, i) => (i === verdict && isVerdict(cell) ? verdictHtml(cell) : escapeHtml(String(cell ?? "")))),
    ),
  )
}

/** A table of cells that are HTML already. */
export function htmlTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join("")
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n")
  return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
}

/** A verdict with its sign, coloured by the page's style. */
export function verdictHtml(verdict: SectionFinding["verdict"]): string {
  return `<span class="${verdict}">${SIGNS[verdict]} ${verdict}</span>`
}

function isVerdict(cell: unknown): cell is SectionFinding["verdict"] {
  return typeof cell === "string" && Object.hasOwn(SIGNS, cell)
}

/** One paragraph of Markdown without its paragraph. */
export function inline(markdown: string): string {
  return micromark(markdown).replace(/^<p>([\s\S]*)<\/p>$/, "$1")
}

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
}

/** What is folded until asked for; both are HTML. */
export function folded(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>${body}</details>`
}

/** A list whose items are HTML. */
export function listHtml(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${item}</li>`).join("")}</ul>`
}

/** A claim and, folded, what it is about one by one. */
export function claimHtml({ claim, items = [] }: SectionFinding): string {
  if (items.length === 0) return escapeHtml(claim)
  return folded(escapeHtml(claim), listHtml(items.map(escapeHtml)))
}
