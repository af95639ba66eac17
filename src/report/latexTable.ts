import { escapeLatex } from "./latexText.js"
import type { ReportTable } from "./table.js"

/** Characters of a line of footnotesize text between usual margins. */
const LINE = 105

/** A column of more characters is broken into lines. */
const WIDEST = 44

/**
 * A table that may run over pages and whose long cells are broken into lines; for longtable, booktabs and array.
 *
 * @param caption LaTeX.
 */
export function latexLongTable({ columns, rows }: ReportTable, caption: string): string {
  const cells = rows.map((row) => row.map((cell) => (cell === null ? "" : String(cell))))
  const widths = columns.map((column, i) =>
    Math.min(WIDEST, Math.max(column.length, ...cells.map((row) => row[i]!.length), 2)),
  )
  const total = widths.reduce((sum, width) => sum + width + 2, 0)
  const isLong = cells.some((row) => row.some((cell) => cell.length > WIDEST))
  const kinds = widths.map((width) =>
    total <= LINE && !isLong
      ? "l"
      : `>{\\raggedright\\arraybackslash}p{${(0.94 * (width / total)).toFixed(3)}\\linewidth}`,
  )
  const line = (row: readonly string[]) => `${row.map((cell) => breakable(escapeLatex(cell))).join(" & ")} \\\\`
  return [
    total <= LINE ? "{\\footnotesize" : "{\\scriptsize",
    "\\setlength{\\tabcolsep}{3pt}",
    `\\begin{longtable}{@{}${kinds.join("")}@{}}`,
    `\\caption{${caption}}\\\\`,
    "\\toprule",
    line(columns),
    "\\midrule",
    "\\endfirsthead",
    "\\toprule",
    line(columns),
    "\\midrule",
    "\\endhead",
    ...cells.map(line),
    "\\bottomrule",
    "\\end{longtable}}",
    "",
  ].join("\n")
}

/** Lets a name such as init-a/c=-1/2/sign be broken after its parts. */
function breakable(latex: string): string {
  return latex.replace(/[/=@,]/g, (c) => `${c}\\allowbreak{}`).replaceAll("\\_", "\\_\\allowbreak{}")
}
