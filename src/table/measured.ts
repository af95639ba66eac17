/** From a file to runs. */

import { withoutTwins } from "./copies.js"
import { groupsOf } from "./groups.js"
import { partlyPooled } from "./pooled.js"
import { type ReadOptions, readTable } from "./readTable.js"
import { refusalOf } from "./refusal.js"
import type { RunColumns } from "./runColumns.js"
import { type Run, type RunRules, runsOf } from "./runs.js"
import type { Column, Table } from "./table.js"
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
  requireOutcome(table, value, runs, says)
  const negative = rate === null ? negativeSizes(roles.value, runs) : []
  const mixed = partlyPooled(runs, roles.others)
  const single = rate === null ? runs : withoutTwins(runs)
  const twins = runs.length - single.length
  const copied =
    twins === 0
      ? []
      : [
          `${twins} runs repeat another with the same rate and the same ${value} to the last digit, and none ends otherwise: counted once, they tell nothing of noise. Runs of different seeds would differ.`,
        ]
  return { table, runs: single, read: [...says, ...negative, ...copied], mixed }
}

/** @throws InputError where no run has a value, and none diverged: there is nothing to fit. */
function requireOutcome(table: Table, value: string, runs: readonly Run[], says: readonly string[]): void {
  if (runs.some(({ outcome }) => outcome.kind === "value" || outcome.kind === "diverged")) return
  const word = runs.flatMap(({ outcome }) => ("word" in outcome ? [outcome.word] : []))[0]
  throw refusalOf({
    field: `${table.file}, column ${value}`,
    given: `${runs.length} runs, none with a value${word === undefined ? "" : ` (${word})`}`,
    allowed: `a number in one row at least, or a word for a run that diverged, such as nan; --diverged names others${runs.length === 0 ? `. ${says.join(" ")}` : ""}`,
    example: `--diverged ${JSON.stringify(word ?? "nan")}`,
  })
}

/**
 * What is to be said of sizes below zero, whose squares are fitted.
 *
 * @throws InputError where all are: they are logarithms.
 */
function negativeSizes(column: Column, runs: readonly Run[]): string[] {
  const sizes = runs.flatMap(({ row, outcome }) => (outcome.kind === "value" ? [{ row, value: outcome.value }] : []))
  const negative = sizes.filter(({ value }) => value < 0)
  if (negative.length === 0) return []
  const { row } = negative[0]!
  if (sizes.every(({ value }) => value <= 0))
    throw column.refusal(row, "a size ≥ 0: no row has one above 0 (a logarithm of a size is none)", "0.25")
  return [
    `${negative.length} of ${sizes.length} sizes are negative (the first: ${column.table.place(row)}): the root of the mean of their squares is fitted. Logarithms of sizes would be read wrong.`,
  ]
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
