/** Tables in Markdown (GitHub's), with whatever text around them. */
import type { Table as TableNode } from "mdast"
import { fromMarkdown } from "mdast-util-from-markdown"
import { gfmTableFromMarkdown } from "mdast-util-gfm-table"
import { toString as textOf } from "mdast-util-to-string"
import { gfmTable } from "micromark-extension-gfm-table"
import { refusalOf } from "./refusal.js"
import type { Cells } from "./table.js"

/** A header line with a bar, and below it a line of dashes and bars: what makes a table of it. */
const DELIMITER = /^[^\n]*\|[^\n]*\r?\n[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/m

/** Whether a text has a Markdown table. */
export function isMarkdown(text: string): boolean {
  return DELIMITER.test(text.slice(0, 20_000))
}

/**
 * The cells of the text's one table; emphasis and code around a value are not part of it.
 *
 * @throws InputError for several tables with different headers, for a row with more values than the header, or no row.
 */
export function readMarkdown(file: string, text: string): Cells {
  const tree = fromMarkdown(text, { extensions: [gfmTable()], mdastExtensions: [gfmTableFromMarkdown()] })
  const tables = tree.children.filter((node): node is TableNode => node.type === "table")
  const refuse = (field: string, given: string, allowed: string) =>
    refusalOf({ field, given, allowed, example: "| width | lr | loss |" })
  const headers = tables.map((table) => table.children[0]!.children.map((cell) => textOf(cell).trim()))
  const columns = headers[0]
  if (columns === undefined) throw refuse(file, text.slice(0, 60), "a Markdown table")
  const other = headers.findIndex((header) => header.join("|") !== columns.join("|"))
  if (other >= 0)
    throw refuse(
      `${file}, line ${tables[other]!.position!.start.line}`,
      headers[other]!.join(" | "),
      `one table, or tables with the same header: ${columns.join(" | ")}`,
    )
  const rows = tables.flatMap((table) =>
    table.children.slice(1).map((row) => {
      const line = row.position!.start.line
      const cells = row.children.map((cell) => textOf(cell).trim())
      if (cells.length !== columns.length)
        throw refuse(`${file}, line ${line}`, cells.join(" | "), `${columns.length} values, as the header has`)
      return { cells, line }
    }),
  )
  if (rows.length === 0) throw refuse(file, columns.join(" | "), "at least one row below the header")
  return {
    columns,
    rows: rows.map(({ cells }) => cells),
    places: rows.map(({ line }) => line),
    placed: "line",
    notes: tables.length > 1 ? [`${tables.length} Markdown tables with one header are read as one.`] : [],
  }
}
