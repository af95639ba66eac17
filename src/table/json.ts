/** Tables in JSON: lines of objects, lists of objects, and what pandas writes. */
import { parse } from "lossless-json"
import type { InputError } from "../inputError.js"
import { refusalOf } from "./refusal.js"
import type { Cells } from "./table.js"

/** Whether a text may be JSON or JSON lines. */
export function isJson(text: string): boolean {
  return /^\s*[[{]/.test(text)
}

/**
 * The cells of JSON: a list of objects, one object a line, an object of lists or of objects (pandas' `to_json` in the
 * orients columns, split and table), or an object that holds one list of objects. Objects in a row are read by path:
 * config.lr.
 *
 * @throws InputError for a text that is no JSON, naming the line in JSON lines, a name given twice in an object, or no
 * rows.
 */
export function readJson(file: string, text: string): Cells {
  const whole = attempt(text)
  if (whole.ok) {
    const { entries, placed } = entriesOf(file, whole.value)
    return cellsOf(
      file,
      entries,
      entries.map((_, i) => i + 1),
      placed,
      [],
    )
  }
  const lines = text.split(/\r\n|\n/)
  const filled = lines.flatMap((line, i) => (line.trim() === "" ? [] : [{ line, place: i + 1 }]))
  if (filled.length < 2 || !attempt(filled[0]!.line).ok) throw refusal(file, whole.error, "JSON, or one object a line")
  const entries = filled.map(({ line, place }) => {
    const found = attempt(line)
    if (!found.ok) throw refusal(`${file}, line ${place}`, found.error, "an object in JSON")
    if (!isObject(found.value))
      throw refusal(`${file}, line ${place}`, line.slice(0, 60), "an object, not another value")
    return found.value
  })
  return cellsOf(
    file,
    entries,
    filled.map(({ place }) => place),
    "line",
    [],
  )
}

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string }

/**
 * Numbers stay the texts they are, so that long seeds keep their digits; Python's bare NaN and Infinity are texts too.
 */
function attempt(text: string): Parsed {
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (word) =>
    word[0] === '"' ? word : `"${word}"`,
  )
  try {
    return {
      ok: true,
      value: parse(quoted, null, {
        parseNumber: (number) => number,
        onDuplicateKey: ({ key }) => {
          throw new SyntaxError(`the name ${JSON.stringify(key)} twice in one object`)
        },
      }),
    }
  } catch (error) {
    return {
      ok: false,
      error: error instanceof RangeError ? "values nested too deeply" : (error as Error).message.slice(0, 120),
    }
  }
}

type JsonObject = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isObjects = (value: unknown): value is JsonObject[] =>
  Array.isArray(value) && value.length > 0 && value.every(isObject)

function entriesOf(file: string, value: unknown): { entries: JsonObject[]; placed: Cells["placed"] } {
  if (isObjects(value)) return { entries: value, placed: "entry" }
  if (Array.isArray(value) && value.length > 1 && value.every(Array.isArray)) {
    const [header, ...rows] = value as unknown[][]
    return { entries: rows.map((row) => named(file, header!, row)), placed: "entry" }
  }
  if (isObject(value)) {
    const { columns, data } = value
    if (Array.isArray(columns) && Array.isArray(data))
      return { entries: data.map((row) => named(file, columns, row as unknown[])), placed: "entry" }
    const own = Object.values(value)
    if (own.length > 0 && own.every(Array.isArray) && !own.some(isObjects))
      return { entries: fromColumns(file, value), placed: "row" }
    if (own.length > 0 && own.every(isObject) && isTransposed(own))
      return { entries: fromColumns(file, value), placed: "row" }
    const lists = Object.entries(value).filter(([, list]) => isObjects(list) && list !== (value.schema as unknown))
    if (lists.length === 1) return { entries: lists[0]![1] as JsonObject[], placed: "entry" }
    if (lists.length > 1)
      throw refusal(file, lists.map(([name]) => name).join(", "), "one list of objects in the file, not several")
    if (own.length > 0 && own.every(isObject)) return { entries: own, placed: "entry" }
    if (own.length > 0) return { entries: [value], placed: "entry" }
  }
  throw refusal(
    file,
    JSON.stringify(value)?.slice(0, 60) ?? "",
    "a list of objects, one object a line, or an object of columns",
  )
}

/** Columns of values by row label: all have the same labels, and no value is an object. */
function isTransposed(columns: readonly JsonObject[]): boolean {
  const labels = Object.keys(columns[0]!)
  return (
    labels.every((label) => /^\d+$/.test(label)) &&
    columns.every(
      (own) =>
        Object.keys(own).length === labels.length && labels.every((label) => label in own && !isObject(own[label])),
    )
  )
}

function fromColumns(file: string, columns: JsonObject): JsonObject[] {
  const lists = Object.entries(columns).map(
    ([name, own]) => [name, Array.isArray(own) ? own : Object.values(own as JsonObject)] as const,
  )
  const rows = lists[0]![1].length
  const other = lists.find(([, list]) => list.length !== rows)
  if (other !== undefined)
    throw refusal(
      `${file}, column ${other[0]}`,
      `${other[1].length} values`,
      `as many values as column ${lists[0]![0]} has, ${rows}`,
    )
  return Array.from({ length: rows }, (_, i) => Object.fromEntries(lists.map(([name, list]) => [name, list[i]])))
}

function named(file: string, header: readonly unknown[], row: readonly unknown[]): JsonObject {
  const names = header.map(String)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) throw refusal(`${file}, column`, twice, "names that differ")
  if (!Array.isArray(row) || row.length !== names.length)
    throw refusal(
      file,
      JSON.stringify(row)?.slice(0, 60) ?? "",
      `rows of ${names.length} values, as many as there are columns`,
    )
  return Object.fromEntries(names.map((name, i) => [name, row[i]]))
}

function cellsOf(
  file: string,
  entries: readonly JsonObject[],
  places: readonly number[],
  placed: Cells["placed"],
  notes: readonly string[],
): Cells {
  const columns = new Map<string, number>()
  const flat = entries.map((entry, i) => {
    const cells = new Map<string, string>()
    flatten(entry, "", (name, text) => {
      if (cells.has(name))
        throw refusal(
          `${file}, ${placed} ${places[i]}, column ${name}`,
          text,
          "one value for each name, in objects within objects too",
        )
      cells.set(name, text)
      if (!columns.has(name)) columns.set(name, columns.size)
    })
    return cells
  })
  const names = [...columns.keys()]
  if (names.length === 0) throw refusal(file, "{}", "objects with values")
  if (names.length * entries.length > MOST_CELLS)
    throw refusal(file, `${names.length} names in ${entries.length} objects`, "objects that share their names")
  const rows = flat.map((cells) => names.map((name) => cells.get(name) ?? ""))
  return { columns: names, rows, places, placed, notes }
}

/** What a table of objects may come to: objects that share no names would fill the memory. */
const MOST_CELLS = 50_000_000

function flatten(value: JsonObject, path: string, found: (name: string, text: string) => void): void {
  for (const [name, own] of Object.entries(value))
    if (isObject(own)) flatten(own, `${path}${name}.`, found)
    else
      found(
        `${path}${name}`,
        own === null || own === undefined
          ? ""
          : typeof own === "string"
            ? own.trim()
            : Array.isArray(own)
              ? JSON.stringify(own)
              : String(own),
      )
}

function refusal(field: string, given: string, allowed: string): InputError {
  return refusalOf({ field, given, allowed, example: '[{"width": 256, "lr": 3e-4, "loss": 1.07}]' })
}
