import { escapeLatex } from "./escapeLatex.js"
import type { ReportTable } from "./table.js"

/** Characters of a line, and those of the space between two columns, in each size of type. */
const SIZES = [
  { name: "\\footnotesize", line: 100 },
  { name: "\\scriptsize", line: 114 },
] as const
const GAP = 1.5

/** A column of so few characters is never broken into lines. */
const SHORT = 20

/** No column is given more room than one of so many characters, nor less than one of so few. */
const [NARROWEST, WIDEST] = [10, 60]

/**
 * A table that may run over pages and whose long cells are broken into lines; for longtable, booktabs and array.
 *
 * @param caption LaTeX.
 */
export function latexLongTable({ columns, rows }: ReportTable, caption: string): string {
  const cells = rows.map((row) => row.map((cell) => (cell === null ? "" : String(cell))))
  const lengths = columns.map((column, i) => Math.max(column.length, ...cells.map((row) => row[i]!.length)))
  const { size, kinds } = columnKinds(lengths)
  const line = (row: readonly string[]) => `${row.map((cell) => breakable(escapeLatex(cell))).join(" & ")} \\\\`
  return [
    `{${size}`,
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

/** What fits stays on its line; otherwise the long columns share the room that the short ones leave. */
function columnKinds(lengths: readonly number[]): { size: string; kinds: readonly string[] } {
  const gaps = GAP * (lengths.length - 1)
  const total = lengths.reduce((sum, length) => sum + length, gaps)
  const fitting = SIZES.find(({ line }) => total <= line)
  if (fitting !== undefined) return { size: fitting.name, kinds: lengths.map(() => "l") }
  const { name, line } = SIZES[1]
  const roomBeside = (isShort: (length: number) => boolean) =>
    line - gaps - lengths.filter(isShort).reduce((sum, length) => sum + length, 0)
  const long = lengths.filter((length) => length > SHORT)
  const some = roomBeside((length) => length <= SHORT)
  const isShort = (length: number) => some >= NARROWEST * long.length && length <= SHORT
  const weight = (length: number) => Math.min(WIDEST, Math.max(NARROWEST, length))
  const weights = lengths.filter((length) => !isShort(length)).reduce((sum, length) => sum + weight(length), 0)
  const room = roomBeside(isShort) / line
  const kinds = lengths.map((length) =>
    isShort(length)
      ? "l"
      : `>{\\raggedright\\arraybackslash}p{${((room * weight(length)) / weights).toFixed(3)}\\linewidth}`,
  )
  return { size: name, kinds }
}

/** Lets a name such as init-a/c=-1/2/sign be broken after its parts. */
function breakable(latex: string): string {
  return latex.replace(/[/=@,]/g, (c) => `${c}\\allowbreak{}`).replaceAll("\\_", "\\_\\allowbreak{}")
}
