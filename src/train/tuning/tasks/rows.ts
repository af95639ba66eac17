/** Rows of a task's files as they were published: Parquet, JSON lines, JSON, tab-separated values without quotes, CSV. */
import { readFile } from "node:fs/promises"
import { extname } from "node:path"
import { InputError } from "../../../inputError.js"

/** A row that knows where it stands. */
export class Row {
  constructor(
    /** "train.tsv, line 12". */
    readonly place: string,
    private readonly values: Readonly<Record<string, unknown>>,
  ) {}

  has(field: string): boolean {
    return field in this.values
  }

  /** @throws InputError naming file, row and field if there is none, or it is no text. */
  text(field: string): string {
    const value = this.value(field)
    if (typeof value === "string") return value
    throw this.refusal(field, "a text", '"a text"')
  }

  /** Any value. @throws InputError as `text` if there is none. */
  value(field: string): unknown {
    const value = this.values[field]
    if (value !== undefined && value !== null) return value
    throw new InputError({
      field: `${this.place}, field ${field}`,
      given: "nothing",
      allowed: `a value; the row has ${shown(Object.keys(this.values).join(", "))}`,
      example: field,
    })
  }

  /** A list of texts. @throws InputError as `text`. */
  texts(field: string): readonly string[] {
    const value = this.value(field)
    if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value
    throw this.refusal(field, "a list of texts", '["a text"]')
  }

  /**
   * A class as its number, or as its name.
   *
   * @throws InputError as `text` for another one.
   */
  classOf(field: string, names: readonly string[]): number {
    const value = this.value(field)
    const text = typeof value === "string" ? value.trim() : String(value)
    const named = names.indexOf(text)
    if (named !== -1) return named
    const number = /^\d+$/.test(text) ? Number(text) : -1
    if (number >= 0 && number < names.length) return number
    const hidden =
      text === "-1" ? " (-1 is what a test split has whose labels are not published: take another split)" : ""
    const all = names.map((name, i) => (name === String(i) ? name : `${i} or ${name}`)).join(", ")
    throw this.refusal(field, `${all}${hidden}`, String(names[0]))
  }

  /** The refusal of a field's value. */
  refusal(field: string, allowed: string, example: string): InputError {
    const value = this.values[field]
    const given = typeof value === "string" ? value : typeof value === "bigint" ? String(value) : JSON.stringify(value)
    return new InputError({ field: `${this.place}, field ${field}`, given: shown(given), allowed, example })
  }
}

/** How a file of text is to be read. */
export interface Layout {
  /** The fields' names where the file has no header. */
  readonly columns?: readonly string[]
}

/**
 * The rows of a file; its kind is told by its content, and CSV by its name.
 *
 * Tab-separated values have no quotes, as GLUE's: a quote is a character like others, and no value has a tab or a new
 * line in it.
 *
 * @throws InputError naming the file, and where there is one the line, for what is none of these kinds, a row with more
 * or fewer values than the header, or no rows.
 */
export async function readRows(path: string, layout: Layout = {}): Promise<readonly Row[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw refusal(path, path, `a file that can be read (${error.code})`, "train.jsonl")
  })
  const rows = bytes.toString("latin1", 0, 4) === "PAR1" ? await parquetRows(path) : await textRows(path, bytes, layout)
  if (rows.length > 0) return rows
  throw refusal(path, "no row", "at least one row", "train.jsonl")
}

/** A text in UTF-8, with no mark in front. @throws InputError naming the file for another encoding. */
export function utf8(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    throw refusal(path, "bytes of another encoding", "text in UTF-8, or Parquet", "train.jsonl")
  }
}

async function textRows(path: string, bytes: Uint8Array, { columns }: Layout): Promise<Row[]> {
  const text = utf8(path, bytes)
  if (/^\s*\[/.test(text)) return listed(path, text)
  if (/^\s*\{/.test(text)) return lines(text).map(({ line, place }) => objectRow(`${path}, line ${place}`, line))
  if (extname(path) === ".csv") return commaRows(path, text, columns)
  const [first, ...rest] = lines(text).map(({ line, place }) => ({
    values: line.split("\t"),
    place: `${path}, line ${place}`,
  }))
  if (first === undefined) return []
  return columns === undefined ? named(first.values, rest) : named(columns, [first, ...rest])
}

/** Lines that are not empty, by their numbers from 1. */
function lines(text: string): { readonly line: string; readonly place: number }[] {
  return text.split("\n").flatMap((line, i) => {
    const own = line.endsWith("\r") ? line.slice(0, -1) : line
    return own === "" ? [] : [{ line: own, place: i + 1 }]
  })
}

function listed(path: string, text: string): Row[] {
  const all = parsed(path, text)
  return (all as unknown[]).map((each, i) => rowOf(`${path}, entry ${i + 1}`, each))
}

function objectRow(place: string, line: string): Row {
  return rowOf(place, parsed(place, line))
}

function parsed(place: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw refusal(place, text.slice(0, 60), `JSON (${(error as Error).message.slice(0, 80)})`, '{"question": "…"}')
  }
}

function rowOf(place: string, value: unknown): Row {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return new Row(place, value as Record<string, unknown>)
  throw refusal(place, shown(JSON.stringify(value) ?? ""), "an object", '{"question": "…"}')
}

async function commaRows(path: string, text: string, columns: readonly string[] | undefined): Promise<Row[]> {
  const { parse } = await import("csv-parse/sync")
  let records: { readonly record: string[]; readonly info: { readonly lines: number } }[]
  try {
    records = parse(text, { relax_column_count: true, skip_empty_lines: true, info: true }) as never
  } catch (error) {
    throw refusal(
      path,
      (error as Error).message.slice(0, 80),
      "values separated by commas, in quotes where they hold one",
      '"a, b",c',
    )
  }
  // Of a value that spans lines, `lines` is its last one.
  const all = records.map(({ record, info }) => {
    const more = record.reduce((sum, value) => sum + value.split("\n").length - 1, 0)
    return { values: record, place: `${path}, line ${info.lines - more}` }
  })
  const [first, ...rest] = all
  if (first === undefined) return []
  return columns === undefined ? named(first.values, rest) : named(columns, all)
}

function named(
  columns: readonly string[],
  rows: readonly { readonly values: readonly string[]; readonly place: string }[],
): Row[] {
  return rows.map(({ values, place }) => {
    if (values.length === columns.length)
      return new Row(place, Object.fromEntries(columns.map((name, i) => [name, values[i]])))
    throw refusal(
      place,
      `${values.length} values`,
      `${columns.length} values: ${shown(columns.join(", "))}`,
      columns.join("\t"),
    )
  })
}

async function parquetRows(path: string): Promise<Row[]> {
  const { DuckDBInstance } = await import("@duckdb/node-api")
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" })
  const connection = await instance.connect()
  try {
    const reader = await connection.runAndReadAll(`from read_parquet('${path.replaceAll("'", "''")}')`)
    return reader.getRowObjectsJS().map((values, i) => new Row(`${path}, row ${i + 1}`, values))
  } catch (error) {
    throw refusal(path, path, `a Parquet file that can be read (${String(error).split("\n")[0]})`, "train.parquet")
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

function refusal(field: string, given: string, allowed: string, example: string): InputError {
  return new InputError({ field, given: shown(given), allowed, example })
}

function shown(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 120)}…`
}
