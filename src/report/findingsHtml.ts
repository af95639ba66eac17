import { countsOf, findingsOf, type ReportDocument, reasonOf } from "./document.js"
import { claimHtml, escapeHtml, htmlTable, verdictHtml } from "./htmlTable.js"

/** All findings in one table, which a script of the page sorts and filters; without it the table stands as it is. */
export function findingsHtml(document: ReportDocument): string {
  const findings = findingsOf(document)
  const rows = findings.map((finding) => [
    `<a href="#${finding.section.id}">${escapeHtml(finding.section.title)}</a>`,
    claimHtml(finding),
    verdictHtml(finding.verdict),
    escapeHtml(reasonOf(finding)),
  ])
  return `<section id="findings"><h2>All findings</h2><p>${countsOf(findings)}.</p>
${htmlTable(["section", "claim", "verdict", "cause, or what would decide"], rows)}
<script>${SCRIPT}</script></section>`
}

/** Adds a filter above the table and makes each heading a button that sorts by its column, up and down in turn. */
const SCRIPT = `
(() => {
  const section = document.getElementById("findings")
  const body = section.querySelector("tbody")
  const rows = [...body.rows]
  const text = (row, i) => row.cells[i].textContent
  const bar = document.createElement("p")
  bar.className = "filter"
  const field = Object.assign(document.createElement("input"), { type: "search", placeholder: "filter by any words" })
  field.setAttribute("aria-label", "filter findings by words")
  const choice = document.createElement("select")
  choice.setAttribute("aria-label", "filter findings by verdict")
  for (const name of ["every verdict", "agrees", "contradicts", "inconclusive"]) choice.add(new Option(name))
  const count = document.createElement("output")
  bar.append(field, " ", choice, " ", count)
  section.querySelector(".table").before(bar)
  const show = () => {
    const words = field.value.toLowerCase().split(/\\s+/)
    let shown = 0
    for (const row of rows) {
      const all = row.textContent.toLowerCase()
      const fits = words.every((word) => all.includes(word)) && (choice.selectedIndex === 0 || text(row, 2).endsWith(choice.value))
      row.hidden = !fits
      if (fits) shown++
    }
    count.textContent = shown + " of " + rows.length
  }
  field.oninput = choice.onchange = show
  section.querySelectorAll("th").forEach((head, i) => {
    const button = document.createElement("button")
    button.textContent = head.textContent
    head.replaceChildren(button)
    button.onclick = () => {
      const down = head.getAttribute("aria-sort") === "ascending"
      for (const other of section.querySelectorAll("th")) other.removeAttribute("aria-sort")
      head.setAttribute("aria-sort", down ? "descending" : "ascending")
      const sorted = [...rows].sort((x, y) => text(x, i).localeCompare(text(y, i)) * (down ? -1 : 1))
      body.append(...sorted)
    }
  })
  show()
})()
`
