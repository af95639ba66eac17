/** Tables of separated values: comma, semicolon, tab, bar, or columns set apart by spaces. */
import { parse } from "csv-parse/sync"
import type { InputError } from "../inputError.js"
import { refusalOf } from "./refusal.js"
import type { Cells } from "./table.js"

/** What separates the values of a row. */
export const SEPARATORS = { comma: ",", semicolon: ";", tab: "\t", bar: "|" } as const
export type SeparatorName = keyof typeof SEPARATORS

/** A line that is a comment, or none. */
const COMMENT = /^\s*(?:#|%|\/\/)/
/** A line that is drawn between rows, or tells their number: what databases and printers of tables add. */
const RULER = /^\s*[|+]?\s*[-=]{2,}[-=+|\s]*$|^\(\d+ rows?\)$/

/**
 * The cells of separated values with a header line. Lines that begin with #, % or // are comments; where one of them,
 * before the first row, is the header (as NumPy's `savetxt` writes it), it is read as that.
 *
 * @throws InputError naming the line for a row that has more or fewer values than the header, or a quote that does not
 * end.
 */
export function readDelimited(file: string, text: string, separator: SeparatorName | null): Cells {
  const notes: string[] = []
  const told = /^sep=(.)\r?\n/i.exec(text)
  const all = text.split(/\r\n|\n|\r/)
  const rulers = linesOf(RULER, all)
  const lines = all.map((line, i) => (rulers.has(i) ? "" : line))
  if (told !== null) lines[0] = ""
  const head = headOf(lines)
  const chosen = told?.[1] ?? (separator === null ? guess(head.lines) : SEPARATORS[separator])
  if (chosen === null) {
    const spaced = bySpaces(lines, head.lines)
    if (spaced === null) throw noTable(file, head.lines[0] ?? "")
    notes.push("Columns are set apart by spaces.")
    const first = spaced.find((line) => line.trim() !== "" && !COMMENT.test(line))
    if (first?.startsWith("\t")) notes.push("The first column, without a name, is taken for row labels.")
    return finish(file, spaced, "\t", notes)
  }
  return finish(file, withHeader(lines, chosen, notes), chosen, notes)
}

/** The lines in turn, each with whether it goes on with a quoted value, which may look like any line. */
function* withQuotes(lines: readonly string[]): Generator<{ readonly line: string; readonly isQuoted: boolean }> {
  let isQuoted = false
  for (const line of lines) {
    yield { line, isQuoted }
    if ((isQuoted || !COMMENT.test(line)) && line.split('"').length % 2 === 0) isQuoted = !isQuoted
  }
}

/** The indices of lines of a pattern that are no part of a quoted value. */
function linesOf(pattern: RegExp, lines: readonly string[]): ReadonlySet<number> {
  const found = new Set<number>()
  let i = 0
  for (const { line, isQuoted } of withQuotes(lines)) {
    if (!isQuoted && pattern.test(line)) found.add(i)
    i++
  }
  return found
}

/** The first lines that are neither empty nor comments. */
function headOf(lines: readonly string[]): { lines: string[] } {
  const head: string[] = []
  for (const { line, isQuoted } of withQuotes(lines)) {
    if (line.trim() !== "" && (isQuoted || !COMMENT.test(line))) head.push(line)
    if (head.length === HEAD) break
  }
  return { lines: head }
}
const HEAD = 40

/** The separator that gives every line as many values as the first, and the most; null if none gives more than one. */
function guess(head: readonly string[]): string | null {
  const scored = Object.values(SEPARATORS).flatMap((separator) => {
    try {
      const records: string[][] = parse(head.join("\n"), { delimiter: separator, relax_column_count: true, trim: true })
      const columns = records[0]?.length ?? 0
      const even = records.filter(({ length }) => length === columns).length / records.length
      return columns > 1 ? [{ separator, columns, even }] : []
    } catch {
      // A quote may be open at the head's end: what the first line tells is enough.
      const columns = (head[0] ?? "").split(separator).length
      return columns > 1 ? [{ separator, columns, even: 0 }] : []
    }
  })
  scored.sort((x, y) => y.even - x.even || y.columns - x.columns)
  return scored[0]?.separator ?? null
}

/**
 * Lines whose values are set apart by runs of spaces, with tabs in their place; null if the first lines do not agree.
 */
function bySpaces(lines: readonly string[], head: readonly string[]): string[] | null {
  const split = (line: string) => line.trim().split(/\s+/)
  const [header, ...rows] = head.map((line) => split(line).length)
  const columns = rows[0]
  if (columns === undefined || columns < 2 || !rows.every((count) => count === columns)) return null
  // Printed frames have row labels, over which nothing stands.
  const isLabelled = header === columns - 1
  if (header !== columns && !isLabelled) return null
  const first = lines.indexOf(head[0]!)
  return lines.map((line, i) =>
    COMMENT.test(line) ? line : `${isLabelled && i === first ? "\t" : ""}${split(line).join("\t")}`,
  )
}

/** Where the first row is all numbers, its header is the last comment before it with as many values. */
function withHeader(lines: readonly string[], separator: string, notes: string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== "" && !COMMENT.test(line))
  const values = (lines[first] ?? "").split(separator)
  if (first < 1 || !values.every((value) => /\d/.test(value) && !/[a-df-z]/i.test(value))) return lines
  for (let i = first - 1; i >= 0; i--) {
    const header = lines[i]!.replace(COMMENT, "")
    if (!COMMENT.test(lines[i]!) || header.split(separator).length !== values.length) continue
    notes.push(`The header is the comment in line ${i + 1}.`)
    return lines.map((line, k) => (k === i ? header : line))
  }
  return lines
}

function finish(file: string, lines: readonly string[], separator: string, notes: string[]): Cells {
  const found = linesOf(COMMENT, lines)
  const comments = [...found].map((i) => i + 1)
  const text = lines.map((line, i) => (found.has(i) ? "" : line)).join("\n")
  const all = records(file, text, separator)
  const [header, ...below] = all.filter(({ record }) => record.some((value) => value !== ""))
  const empty = all.filter(({ record }) => record.every((value) => value === "")).length
  const isHeader = ({ record }: { record: readonly string[] }) =>
    record.length === header?.record.length && record.every((value, i) => value === header.record[i])
  const repeated = below.filter(isHeader).length
  const rows = below.filter((row) => !isHeader(row))
  if (header === undefined || rows.length === 0)
    throw refusal(
      file,
      lines.find((line) => line !== "") ?? "",
      `a header line and at least one row${comments.length > 0 ? "; lines that begin with #, % or // are comments" : ""}`,
    )
  // Spreadsheets leave columns without name and value at the end.
  let width = header.record.length
  while (width > 1 && header.record[width - 1] === "" && rows.every(({ record }) => (record[width - 1] ?? "") === ""))
    width--
  if (width < header.record.length) notes.push(`${header.record.length - width} empty columns are left out.`)
  const even = rows.map(({ record, line }) => {
    const extra = record.slice(width).some((value) => value !== "")
    if (record.length < width || extra)
      throw refusalOf({
        field: `${file}, line ${line}`,
        given: record.join(separator).slice(0, 80),
        allowed: `${width} values, as the header has: this line has ${record.length}`,
        example: header.record.join(separator).slice(0, 80),
      })
    return record.slice(0, width)
  })
  if (comments.length > 0) notes.push(`${comments.length} comment lines (the first is line ${comments[0]}).`)
  if (repeated > 0) notes.push(`${repeated} lines repeat the header: left out.`)
  if (empty > 0) notes.push(`${empty} rows without any value are left out.`)
  return {
    columns: header.record.slice(0, width),
    rows: even,
    places: rows.map(({ line }) => line),
    placed: "line",
    notes,
  }
}

function records(file: string, text: string, delimiter: string): { record: string[]; line: number }[] {
  try {
    // Of a value that spans lines, `lines` is its last line; the first is what an editor shows.
    const parsed = parse(text, { delimiter, trim: true, relax_column_count: true, info: true, skip_empty_lines: true })
    return (parsed as unknown as { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({
      record,
      line:
        info.lines - record.reduce((sum, value) => sum + (value.includes("\n") ? value.split("\n").length - 1 : 0), 0),
    }))
  } catch (error) {
    throw refusal(file, firstLine(String((error as Error).message)), "quotes that begin and end a value")
  }
}

function noTable(file: string, first: string): InputError {
  return refusal(
    file,
    first.slice(0, 80),
    "a table with a header: values separated by comma, semicolon, tab or |, a Markdown table, JSON, JSON lines, Parquet or DuckDB; --separator names another choice",
  )
}

function refusal(file: string, given: string, allowed: string): InputError {
  return refusalOf({ field: file, given, allowed, example: "width,lr,loss" })
}

function firstLine(text: string): string {
  return text.split("\n")[0]!
}
