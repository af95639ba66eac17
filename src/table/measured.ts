/** From a file to runs. */

import { groupsOf } from "./groups.js"
import { partlyPooled } from "./pooled.js"
import { type ReadOptions, readTable } from "./readTable.js"
import { refusalOf } from "./refusal.js"
import type { RunColumns } from "./runColumns.js"
import { type Run, type RunRules, runsOf } from "./runs.js"
import type { Table } from "./table.js"
import { madeLong, numberedColumns } from "./wide.js"

/** How a file's table is to be read. */
export interface TableReading {
  readonly columns: RunColumns
  readonly rules: RunRules
  readonly read?: ReadOptions
  /** A wide table: what its columns with numbers in their names are, and a pattern that picks them. */
  readonly wide?: { readonly what: "width" | "rate"; readonly pattern: string | null } | undefined
  /** Only rows whose column `quantity` has this value. */
  readonly quantity?: string | undefined
}

/** The runs of a file. */
export interface MeasuredRuns {
  readonly table: Table
  readonly runs: readonly Run[]
  /** How the table was read, a sentence each. */
  readonly read: readonly string[]
  /** Columns in which some repeated runs differ. */
  readonly mixed: readonly string[]
}

/**
 * The runs of a file.
 *
 * @throws InputError as `readTable`, `madeLong`, `runsOf` and `partlyPooled`.
 */
export async function measuredRuns(path: string, reading: TableReading): Promise<MeasuredRuns> {
  const { columns, rules, read = {}, wide, quantity } = reading
  const { width, rate, value } = columns
  const needed = [width, ...(rate === null ? [] : [rate]), value]
  const given = await readTable(path, { ...read, needed: wide === undefined ? needed : [] })
  if (wide === undefined) hintAtWide(given, columns)
  const long =
    wide === undefined ? given : madeLong(given, wide.what === "width" ? width : (rate ?? "rate"), value, wide.pattern)
  const table = quantity === undefined ? long : ofQuantity(long, quantity)
  const { runs, says, roles } = runsOf(table, columns, rules)
  return { table, runs, read: says, mixed: partlyPooled(runs, roles.others) }
}

/** @throws InputError naming --wide where a column is missing and numbers stand in the names of others. */
function hintAtWide(table: Table, { width, rate, value }: RunColumns): void {
  const missing = [width, rate ?? width].find((name) => !table.has(name))
  if (missing === undefined || numberedColumns(table).length < 2 || table.has(value)) return
  const what = missing === width ? "width" : "rate"
  throw refusalOf({
    field: `--${what}`,
    given: missing,
    allowed: `a column of ${table.file}: ${table.columns.slice(0, 8).join(", ")}; or, where each of these numbers is a ${what}, --wide ${what}`,
    example: `--wide ${what}`,
  })
}

function ofQuantity(table: Table, quantity: string): Table {
  const column = table.column("quantity", "--quantity")
  const rows = groupsOf([...table.cells.rows.keys()], (row) => column.text(row))
  const own = rows.get(quantity)
  if (own !== undefined) return table.select(own)
  throw refusalOf({
    field: "--quantity",
    given: quantity,
    allowed: `a quantity of the file: ${[...rows.keys()].slice(0, 12).join(", ")}`,
    example: `--quantity ${[...rows.keys()][0]}`,
  })
}
