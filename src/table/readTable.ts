/** Tables of measurements as people have them, in whatever format, encoding and number style. */
import { open, stat } from "node:fs/promises"
import { gunzipSync } from "node:zlib"
import { InputError } from "../inputError.js"
import { readDelimited, type SeparatorName } from "./delimited.js"
import { decode } from "./encoding.js"
import { isJson, readJson } from "./json.js"
import { isMarkdown, readMarkdown } from "./markdown.js"
import type { DecimalMark } from "./number.js"
import { refusalOf } from "./refusal.js"
import { type Cells, Table } from "./table.js"

/** What the file's own text leaves open. */
export interface ReadOptions {
  /** Between the values of a row; by default told by the text. */
  readonly separator?: SeparatorName | undefined
  /** By default told by the numbers. */
  readonly decimal?: DecimalMark | undefined
  /** Which table of a DuckDB file, where it has several. */
  readonly table?: string | undefined
  /** Of a store only rows that have a value in each of these columns are meant. */
  readonly needed?: readonly string[]
}

/** A text file may be this large: all of it is held in memory. */
const LARGEST = 256 * 2 ** 20

/**
 * The table in a file: values separated by comma, semicolon, tab, bar or spaces, JSON, JSON lines, Markdown, Parquet, a
 * store or another DuckDB file. The format is told by the content, not by the name.
 *
 * @throws InputError naming the file and, where there is one, the line: for a file that cannot be read as a table, rows
 * of different length, two columns of one name, or no rows.
 */
export async function readTable(path: string, options: ReadOptions = {}): Promise<Table> {
  const { separator = null, decimal = null, needed = [], table = null } = options
  const kind = await kindOf(path)
  if (table !== null && kind !== "duckdb")
    throw refusalOf({
      field: "--table-name",
      given: table,
      allowed: `nothing with ${path}: only a DuckDB file has tables with names`,
      example: "results.duckdb --table-name runs",
    })
  if (kind === "text") {
    const { text, note } = await textOf(path)
    const cells = parsed(path, text, separator)
    return new Table(path, { ...cells, notes: [...(note === null ? [] : [note]), ...cells.notes] }, decimal)
  }
  // Loading DuckDB takes as long as all else of a small command.
  const { readStored } = await import("./stored.js")
  return new Table(path, await readStored(path, kind, { needed, table }), decimal)
}

function parsed(path: string, text: string, separator: SeparatorName | null): Cells {
  if (separator !== null) return readDelimited(path, text, separator)
  if (isJson(text)) return readJson(path, text)
  if (isMarkdown(text)) return readMarkdown(path, text)
  return readDelimited(path, text, null)
}

async function kindOf(path: string): Promise<"text" | "parquet" | "duckdb"> {
  const head = Buffer.alloc(16)
  const size = await reading(path, async () => {
    const found = await stat(path)
    if (!found.isFile()) throw refusal(path, "a file, not a folder")
    const file = await open(path)
    await file.read(head, 0, head.length, 0).finally(() => file.close())
    return found.size
  })
  if (head.toString("latin1", 0, 4) === "PAR1") return "parquet"
  if (head.toString("latin1", 8, 12) === "DUCK") return "duckdb"
  if (size === 0) throw refusal(path, "a file with a table: it is empty")
  if (size > LARGEST) throw refusal(path, `a text file of at most ${LARGEST / 2 ** 20} MB; Parquet may be larger`)
  if (head.toString("latin1", 0, 4) === "PK\x03\x04")
    throw refusal(path, "a table as text: export the workbook or archive as CSV")
  return "text"
}

async function textOf(path: string): Promise<{ text: string; note: string | null }> {
  const bytes = await reading(path, async () => {
    const file = await open(path)
    const found = await file.readFile().finally(() => file.close())
    return found[0] === 0x1f && found[1] === 0x8b ? gunzipSync(found, { maxOutputLength: LARGEST }) : found
  })
  const decoded = decode(bytes)
  if (decoded === null) throw refusal(path, "text in UTF-8 or UTF-16, Parquet or DuckDB: this is none of them")
  if (decoded.text.trim() === "") throw refusal(path, "a file with a table: it is empty")
  return decoded
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof InputError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    throw refusal(path, code === "ENOENT" ? "a file that exists" : `a file that can be read (${code ?? message})`)
  }
}

function refusal(path: string, allowed: string): InputError {
  return refusalOf({ field: "file", given: path, allowed, example: "runs.csv" })
}
