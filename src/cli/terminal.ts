import { styleText } from "node:util"
import { InputError } from "../inputError.js"
import { oneOf } from "../optionText.js"
import { type ReportTable, renderTable, TABLE_FORMATS, type TableFormat } from "../report/table.js"
import type { Screen } from "../report/textTable.js"
import type { SchemeDefinition } from "../scheme/definition.js"
import { schemeOf } from "../scheme/schemeFile.js"
import { type VariantOptions, variantOf } from "../scheme/variant.js"

/** Options that every command with a table has. */
export interface OutputOptions {
  readonly json?: boolean
  readonly format: TableFormat
}

/** What people read: tables with their headings, or a text in each format. */
export type Readable = readonly Headed[] | ((format: TableFormat) => string)

/** A table with its heading. */
export type Headed = readonly [string, ReportTable]

const COLOURS = { agrees: "green", contradicts: "red", inconclusive: "yellow" } as const

/**
 * The screen that stdout is: as wide as the terminal, or as COLUMNS says; colours on a terminal that has them
 * (NO_COLOR).
 */
export function screen(): Screen {
  const { isTTY, columns } = process.stdout
  const said = Number(process.env.COLUMNS)
  const width = isTTY ? columns : Number.isSafeInteger(said) && said > 0 ? said : Number.POSITIVE_INFINITY
  const hasColours = isTTY && process.stdout.hasColors()
  return { width, paint: (text, verdict) => (hasColours ? styleText(COLOURS[verdict], text) : text) }
}

/** Prints the JSON, or what people read, to stdout. */
export function print({ json, format }: OutputOptions, value: unknown, readable: Readable): void {
  if (json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
  else process.stdout.write(typeof readable === "function" ? readable(format) : tablesText(readable, format))
}

/** Tables with their headings, which CSV has none of. */
export function tablesText(tables: readonly Headed[], format: TableFormat): string {
  return tables
    .map(
      ([title, table]) =>
        `${format === "csv" ? "" : `${heading(title, format)}\n`}${renderTable(table, format, screen())}`,
    )
    .join("\n")
}

function heading(title: string, format: TableFormat): string {
  if (format === "markdown") return `### ${title}\n`
  return format === "latex" ? `% ${title}` : `${lines(title, screen().width).join("\n")}\n`
}

/** A text in lines of whole words that fit the width where no word is longer. */
function lines(text: string, width: number): string[] {
  const [first, ...words] = text.split(" ")
  const done: string[] = []
  let line = first!
  for (const word of words)
    if (line.length + 1 + word.length <= width) line += ` ${word}`
    else {
      done.push(line)
      line = word
    }
  return [...done, line]
}

/** Parses `symbol=value` settings. @throws InputError for a text of another form, or a symbol that is set twice. */
export function settings(texts: readonly string[]): Record<string, string> {
  const values = new Map<string, string>()
  for (const text of texts) {
    const match = /^([A-Za-z][A-Za-z0-9]*)=(.+)$/.exec(text)
    if (match === null)
      throw new InputError({ field: "--set", given: text, allowed: "symbol=value", example: "--set c=-1/2" })
    const [, symbol, value] = match as unknown as [string, string, string]
    const before = values.get(symbol)
    if (before !== undefined)
      throw new InputError({
        field: "--set",
        given: `${symbol}=${before} and ${text}`,
        allowed: "each symbol once",
        example: `--set ${symbol}=${before}`,
      })
    values.set(symbol, value)
  }
  return Object.fromEntries(values)
}

/**
 * The scheme of a name or file, with another update rule, loss, batch or bound on the gradients where one is given.
 *
 * @throws InputError for an unknown name, or a bound that is not an exponent.
 */
export async function schemeWith(name: string, options: VariantOptions): Promise<SchemeDefinition> {
  return variantOf(await schemeOf(name), options)
}

/** The output options as typed. @throws InputError for an unknown format. */
export function outputOptions(raw: { json?: boolean; format: string }): OutputOptions {
  return { json: raw.json ?? false, format: oneOf("--format", raw.format, TABLE_FORMATS) }
}
