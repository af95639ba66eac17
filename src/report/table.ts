import { stringify } from "csv-stringify/sync"
import { markdownTable } from "markdown-table"
import { escapeLatex } from "./escapeLatex.js"
import { type Screen, textTable, UNBOUNDED } from "./textTable.js"

/** A table of texts and numbers; null is an empty cell. */
export interface ReportTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | null)[])[]
}

/** The formats in which a table is printed. */
export const TABLE_FORMATS = ["text", "markdown", "latex", "csv"] as const
export type TableFormat = (typeof TABLE_FORMATS)[number]

/** The table in the given format; LaTeX needs the booktabs package. Text fits the screen that it is given. */
export function renderTable(table: ReportTable, format: TableFormat, screen: Screen = UNBOUNDED): string {
  const cells = table.rows.map((row) => row.map((cell) => (cell === null ? "" : String(cell))))
  switch (format) {
    case "csv":
      return stringify([table.columns, ...cells])
    case "markdown":
      return `${markdownTable([[...table.columns], ...cells].map((row) => row.map((cell) => cell.replaceAll("|", "\\|"))))}\n`
    case "latex":
      return latex(table.columns, cells)
    case "text":
      return textTable(table.columns, cells, screen)
  }
}

function latex(columns: readonly string[], cells: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `${row.map(escapeLatex).join(" & ")} \\\\`
  return [
    `\\begin{tabular}{${"l".repeat(columns.length)}}`,
    "\\toprule",
    line(columns),
    "\\midrule",
    ...cells.map(line),
    "\\bottomrule",
    "\\end{tabular}",
    "",
  ].join("\n")
}

/** Columns of a terminal that a table of formulas may fill. */
const WIDEST = 160

/** Whether each row of the table is a line of the screen. */
export function fits(table: ReportTable, { width } = UNBOUNDED): boolean {
  const lines = renderTable(table, "text").split("\n")
  return lines.every((line) => line.length <= Math.min(width, WIDEST))
}
