/** Rows of a table as records of texts. */
import { InputError } from "../inputError.js"
import { readTable } from "./readTable.js"

/** One row, every cell as text. */
export type Row = Readonly<Record<string, string>>

/**
 * The rows of a table.
 *
 * @param needed columns that must exist; of a store only rows that have a value in each are meant.
 * @param others further columns that must exist.
 * @throws InputError as `readTable`, or for a column that does not exist.
 */
export async function readRows(
  path: string,
  needed: readonly string[],
  others: readonly string[] = [],
): Promise<Row[]> {
  const table = await readTable(path, { needed })
  for (const name of [...needed, ...others]) table.column(name)
  return table.cells.rows.map((row) => Object.fromEntries(table.columns.map((name, i) => [name, row[i]!])))
}

/** A cell as a number; a run that diverged may say nan or inf. @throws InputError for anything else. */
export function numberOf(row: Row, column: string): number {
  const text = row[column] ?? ""
  if (/^-?(nan|inf(inity)?)$/i.test(text)) return Number.NaN
  const value = Number(text)
  if (text === "" || Number.isNaN(value))
    throw new InputError({ field: column, given: text, allowed: "a number, nan or inf in every row", example: "0.25" })
  return value
}

/** Columns of a sweep's table that are results. */
const MEASURED = ["id", "failed", "loss", "outcome", "outcome_step", "zA", "zB", "output_change"]

/** Which columns differ between rows with the same key: are they settings, the rows are no repetitions of one measurement. */
export function differingColumns(rows: readonly Row[], key: readonly string[], value: string): string[] {
  if (key.some((name) => rows[0]?.[name] === undefined)) return []
  const first = new Map<string, Row>()
  const differing = new Set<string>()
  for (const row of rows) {
    const at = key.map((name) => row[name]).join(" ")
    const other = first.get(at)
    if (other === undefined) first.set(at, row)
    else for (const name of Object.keys(row)) if (row[name] !== other[name]) differing.add(name)
  }
  for (const name of [value, ...MEASURED]) differing.delete(name)
  return [...differing]
}
