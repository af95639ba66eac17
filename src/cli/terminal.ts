import { availableParallelism } from "node:os"
import { formatAffine, parseAffine } from "../exponent/grammar.js"
import { InputError } from "../inputError.js"
import { nearest, unknownName } from "../nearest.js"
import { type ReportTable, renderTable, TABLE_FORMATS, type TableFormat } from "../report/table.js"
import type { SchemeDefinition } from "../scheme/definition.js"
import { optimiserNamed } from "../scheme/optimiserNames.js"
import { schemeOf } from "../scheme/schemeFile.js"

/** Options that every command with a table has. */
export interface OutputOptions {
  readonly json?: boolean
  readonly format: TableFormat
}

/** What people read: tables with their headings, or a text in each format. */
export type Readable = readonly [string, ReportTable][] | ((format: TableFormat) => string)

/** Prints the JSON, or what people read, to stdout. */
export function print({ json, format }: OutputOptions, value: unknown, readable: Readable): void {
  if (json) process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
  else process.stdout.write(typeof readable === "function" ? readable(format) : tablesText(readable, format))
}

function tablesText(tables: readonly [string, ReportTable][], format: TableFormat): string {
  return tables
    .map(([title, table]) => `${format === "csv" ? "" : `${heading(title, format)}\n`}${renderTable(table, format)}`)
    .join("\n")
}

function heading(title: string, format: TableFormat): string {
  return format === "markdown" ? `### ${title}\n` : format === "latex" ? `% ${title}` : `${title}\n`
}

/** Parses `symbol=value` settings. @throws InputError for a text of another form. */
export function settings(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const match = /^([A-Za-z][A-Za-z0-9]*)=(.+)$/.exec(text)
      if (match === null)
        throw new InputError({ field: "--set", given: text, allowed: "symbol=value", example: "--set c=-1/2" })
      return [match[1]!, match[2]!]
    }),
  )
}

/** Options that change a named scheme, as typed. */
export interface VariantOptions {
  readonly optimiser?: string
  readonly loss?: string
  readonly batch?: string
  readonly clip?: string
}

/**
 * The scheme of a name or file, with another update rule, loss, batch or bound on the gradients where one is given.
 *
 * @throws InputError for an unknown name, or a bound that is not an exponent.
 */
export async function schemeWith(
  name: string,
  { optimiser, loss, batch, clip }: VariantOptions,
): Promise<SchemeDefinition> {
  const named = await schemeOf(name)
  const rule = optimiser === undefined ? null : optimiserNamed(optimiser)
  return {
    ...named,
    ...(rule === null ? {} : { optimiser: rule.name }),
    ...(rule === null || rule.notes.length === 0 ? {} : { caveats: [...(named.caveats ?? []), ...rule.notes] }),
    ...(loss === undefined ? {} : { loss: oneOf("--loss", loss, ["linear", "squared"]) }),
    ...(batch === undefined ? {} : { batch: integer("--batch", batch) }),
    ...(clip === undefined ? {} : { clip: formatAffine(parseAffine(clip, "--clip")) }),
  }
}

/** Parses an integer option. @throws InputError naming the field. */
export function integer(field: string, text: string, least = 1): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value))
    throw new InputError({
      field,
      given: text,
      allowed: `an integer ≥ ${least}`,
      example: `${field} ${Math.max(4, least)}`,
    })
  return value
}

/** Parses a positive number option. @throws InputError naming the field. */
export function positive(field: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value)))
    throw new InputError({ field, given: text, allowed: "a number > 0", example: `${field} 1e-3` })
  return value
}

/** Parses an option with named values. @throws InputError listing them. */
export function oneOf<T extends string>(field: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === text)
  if (found === undefined) throw unknownName(field, text, allowed, `${field} ${nearest(text, allowed) ?? allowed[0]}`)
  return found
}

/** The output options as typed. @throws InputError for an unknown format. */
export function outputOptions(raw: { json?: boolean; format: string }): OutputOptions {
  return { json: raw.json ?? false, format: oneOf("--format", raw.format, TABLE_FORMATS) }
}

/** The number of threads as typed, by default one per core. */
export function threads(text: string | undefined): number {
  return text === undefined ? availableParallelism() : integer("--workers", text, 0)
}
