/** Tables in Parquet files, in stores of this program, and in other DuckDB files that hold one table. */
import { existsSync } from "node:fs"
import type { DuckDBConnection } from "@duckdb/node-api"
import { InputError } from "../inputError.js"
import { nearest } from "../nearest.js"
import { connect, quoted } from "../sweep/database.js"
import { storeQuery } from "../sweep/export.js"
import { refusalOf } from "./refusal.js"
import type { Cells } from "./table.js"

/** Which rows of a file are meant. */
interface Meant {
  /** Of a store only rows that have a value in each of these columns. */
  readonly needed: readonly string[]
  /** A table or view of a DuckDB file; null: its only one. */
  readonly table: string | null
}

/**
 * The cells of a Parquet file, of a store or of a table or view of another DuckDB file. A store may hold runs of both
 * experiments: those without a value in a needed column are not meant.
 *
 * @throws InputError for a file that cannot be read, holds several tables of which none is named, or has no rows.
 */
export async function readStored(path: string, kind: "parquet" | "duckdb", { needed, table }: Meant): Promise<Cells> {
  const connection = await connect(".duckdb.spill")
  try {
    if (kind === "parquet")
      return filled(path, await cellsOf(connection, `select * from read_parquet(${quoted(path)})`))
    const foreign = await foreignTable(connection, path, table)
    if (foreign !== null) return filled(path, await cellsOf(connection, `select * from ${foreign}`))
    const cells = await cellsOf(connection, await storeQuery(connection, path))
    return filled(path, meant(cells, needed))
  } catch (error) {
    if (error instanceof InputError) throw error
    throw refusal(path, path, `a Parquet or DuckDB file that can be read (${String(error).split("\n")[0]})`)
  } finally {
    connection.closeSync()
  }
}

async function cellsOf(connection: DuckDBConnection, query: string): Promise<Cells> {
  const reader = await connection.runAndReadAll(query)
  const rows = reader.getRows().map((row) => row.map((value) => (value === null ? "" : String(value).trim())))
  return { columns: reader.columnNames(), rows, places: rows.map((_, i) => i + 1), placed: "row", notes: [] }
}

/** The named or only table of a DuckDB file that is no store; null for a store. */
async function foreignTable(connection: DuckDBConnection, path: string, chosen: string | null): Promise<string | null> {
  if (!existsSync(path)) throw refusal(path, path, "a file that exists")
  await connection.run(`attach ${quoted(path)} as given (read_only)`)
  const found = await connection.runAndReadAll(
    "select schema_name, table_name, list(column_name order by column_name) from duckdb_columns() where database_name = 'given' and not internal group by all order by all",
  )
  const tables = found.getRows().map(([schema, name, columns]) => ({
    schema: String(schema),
    // Tables of the usual schema go by their names alone.
    name: schema === "main" ? String(name) : `${schema}.${name}`,
    own: String(name),
    columns: String(columns),
  }))
  const isStore = tables.some(
    ({ own, columns }) => own === "runs" && /config.*environment.*id.*result.*seconds/.test(columns),
  )
  if (isStore && chosen === null) {
    await connection.run("detach given")
    return null
  }
  const table = chosen === null && tables.length === 1 ? tables[0] : tables.find(({ name }) => name === chosen)
  if (table === undefined)
    throw noSuchTable(
      path,
      tables.map(({ name }) => name),
      chosen,
    )
  const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`
  return `given.${identifier(table.schema)}.${identifier(table.own)}`
}

function noSuchTable(path: string, names: readonly string[], chosen: string | null): InputError {
  if (names.length === 0) return refusal(path, path, "a DuckDB file with a table: it has none")
  const near = chosen === null ? undefined : nearest(chosen, names)
  return refusalOf({
    field: chosen === null ? path : "--table-name",
    given: chosen ?? `${names.length} tables`,
    allowed: `one of its tables, named with --table-name: ${names.join(", ")}`,
    example: `--table-name ${near ?? names[0]}`,
  })
}

/** Of a store's rows those that have a value in each needed column. */
function meant(cells: Cells, needed: readonly string[]): Cells {
  const indices = needed.map((name) => cells.columns.indexOf(name)).filter((i) => i >= 0)
  const kept = cells.rows.map((row) => indices.every((i) => row[i] !== ""))
  const left = kept.filter((keep) => !keep).length
  return {
    ...cells,
    rows: cells.rows.filter((_, i) => kept[i]),
    places: cells.places.filter((_, i) => kept[i]),
    notes: left === 0 ? [] : [`${left} rows of the store have no ${needed.join(" or no ")}: not meant.`],
  }
}

function filled(path: string, cells: Cells): Cells {
  if (cells.rows.length === 0) throw refusal(path, path, "a file with at least one row")
  return cells
}

function refusal(field: string, given: string, allowed: string): InputError {
  return refusalOf({ field, given, allowed, example: "results.parquet" })
}
