import { micromark } from "micromark"
import { againstOf, claims, claimText, type Placed, type ReportDocument, reasonOf } from "./document.js"
import { fileName } from "./fileName.js"
import { escapeHtml, htmlTable, inline, listHtml, verdictHtml } from "./htmlTable.js"
import { lawTable, OPENING, type Opening } from "./opening.js"

/** So many contradictions are named on the first screen. */
const NAMED = 3

/**
 * The first screen: question and answer, the laws and their figure, and beside them what follows.
 *
 * @param svg a figure by its file's name, ready to stand in a page.
 */
export function openingHtml(document: ReportDocument, opening: Opening, svg: (file: string) => string): string {
  const file = fileName(OPENING, opening.figure.name)
  return `<header class="opening" id="${OPENING.id}">
<p class="title">${escapeHtml(document.title)}</p>
<h1>${escapeHtml(opening.question)}</h1>
<div class="lead">${raised(micromark(opening.answer))}</div>
<div class="laws">${lawsHtml(opening)}
<figure id="${file}">${svg(file)}<figcaption>${inline(opening.figure.caption)}</figcaption></figure></div>
<aside><h2>If you fine-tune</h2>${micromark(opening.practice)}
<h2>Against the paper, or left open</h2>${againstHtml(document)}</aside>
</header>`
}

function lawsHtml(opening: Opening): string {
  const { columns, rows } = lawTable(opening)
  return htmlTable(
    columns,
    rows.map((row, i) =>
      row.map((cell, j) =>
        columns[j] === "verdict" ? verdictHtml(opening.laws[i]!.verdict) : raised(escapeHtml(String(cell ?? ""))),
      ),
    ),
  )
}

/** What was contradicted, the first of them named, and how much was left open. */
export function againstHtml(document: ReportDocument): string {
  const { contradicted, open, asked } = againstOf(document)
  const others = contradicted.length - NAMED
  const findings = (count: number) => `<a href="#findings">${claims(count)}</a>`
  return listHtml([
    ...contradicted.slice(0, NAMED).map(placedHtml),
    ...(others > 0 ? [`${findings(others)} more contradicted, each with its cause`] : []),
    ...(contradicted.length === 0 ? ["Nothing measured here contradicts what is derived."] : []),
    ...(open.length === 0 ? [] : [`${findings(open.length)} undecided: intervals too wide`]),
    ...(asked === 0 ? [] : [`${claims(asked)} asked at full size: too few runs here`]),
  ])
}

function placedHtml(finding: Placed): string {
  // A cause begins with its gist.
  const [gist] = reasonOf(finding).split(/[:;]/)
  return `<a href="#${finding.section.id}">${raised(escapeHtml(claimText(finding)))}</a> ${verdictHtml(finding.verdict)}: <span class="why">${raised(escapeHtml(gist!))}</span>`
}

/** Powers such as n^(−1/2) with a raised exponent. */
function raised(html: string): string {
  return html.replace(/\^\(([^()]*)\)/g, "<sup>$1</sup>")
}
