/** Tables of measurements as users have them: CSV, Parquet or a store, with columns named by the user. */
import { readFile } from "node:fs/promises"
import { parse } from "csv-parse/sync"
import { InputError } from "../inputError.js"
import { readTable } from "./export.js"

/** One row, every cell as text. */
export type Row = Readonly<Record<string, string>>

/**
 * The rows of a CSV or Parquet file or of a store.
 *
 * @param needed columns that must exist; of a store only rows that have a value in each are meant.
 * @param others further columns that must exist.
 * @throws InputError for a file that cannot be read, has no rows, or lacks a column.
 */
export async function readRows(
  path: string,
  needed: readonly string[],
  others: readonly string[] = [],
): Promise<Row[]> {
  const rows = /\.(duckdb|parquet)$/.test(path) ? await stored(path, needed) : await csv(path)
  const header = Object.keys(rows[0]!)
  const missing = [...needed, ...others].find((name) => !header.includes(name))
  if (missing !== undefined)
    throw new InputError({
      field: "column",
      given: missing,
      allowed: header.join(", "),
      example: `--width ${header[0]}`,
    })
  return rows
}

/** A store may hold experiments of both kinds: those without the needed columns are not meant. */
async function stored(path: string, needed: readonly string[]): Promise<Row[]> {
  const rows = (await readTable(path)).filter((row) => needed.every((name) => row[name] !== ""))
  if (rows.length > 0) return rows
  const allowed = `a file with results that have ${needed.join(", ")}`
  throw new InputError({ field: "file", given: path, allowed, example: "results.parquet" })
}

async function csv(path: string): Promise<Row[]> {
  const refuse = (allowed: string) => new InputError({ field: "file", given: path, allowed, example: "runs.csv" })
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw refuse(`a CSV file that can be read (${error.code})`)
  })
  let rows: Row[]
  try {
    rows = parse(text, { columns: true, skip_empty_lines: true, trim: true, bom: true })
  } catch (error) {
    throw refuse(`CSV with a header line (${String(error)})`)
  }
  if (rows.length === 0) throw refuse("a header line and at least one row")
  return rows
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
