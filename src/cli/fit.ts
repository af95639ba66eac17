import { readFile } from "node:fs/promises"
import { parse } from "csv-parse/sync"
import { type LocatedAtWidth, optimalRate, rateAgainstWidth } from "../fit/optimum.js"
import { slope } from "../fit/slope.js"
import { InputError } from "../inputError.js"
import type { ReportTable } from "../report/table.js"
import { outputOptions, print } from "./terminal.js"

/** Options of `fit` as typed: the names of the file's columns. */
export interface FitOptions {
  readonly width: string
  readonly value: string
  readonly rate?: string
  readonly loss?: string
  readonly seed: string
  readonly by: readonly string[]
  readonly quantity?: string
  readonly json?: boolean
  readonly format: string
}

type Row = Readonly<Record<string, string>>

/** Exponents of the groups of a CSV file: slopes of a size, or of the optimal rate where a rate column is named. */
export async function fitCommand(path: string, options: FitOptions): Promise<number> {
  const output = outputOptions(options)
  const rows = (await readRows(path)).filter(
    (row) => options.quantity === undefined || row.quantity === options.quantity,
  )
  if (rows.length === 0)
    throw new InputError({
      field: "--quantity",
      given: options.quantity ?? "",
      allowed: "a quantity of the file",
      example: "--quantity zA",
    })
  const optimum = options.rate !== undefined || options.loss !== undefined
  const needed = optimum
    ? [options.width, options.rate ?? "rate", options.loss ?? "loss"]
    : [options.width, options.value]
  const header = Object.keys(rows[0]!)
  for (const name of [...needed, ...options.by]) if (!header.includes(name)) throw missing(name, header)
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = options.by.map((name) => row[name]).join(" / ")
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const fits = [...groups].map(([group, members]) => ({
    group: group || "all",
    ...(optimum ? optimumFit(members, needed as [string, string, string], options.seed) : slopeFit(members, options)),
  }))
  const table: ReportTable = {
    columns: ["group", "exponent", "95 % low", "95 % high", "widths", "flags"],
    rows: fits.map(({ group, exponent, low, high, widths, flags }) => [
      group,
      exponent === null ? null : exponent.toFixed(4),
      low === null ? null : low.toFixed(4),
      high === null ? null : high.toFixed(4),
      widths,
      flags.join(", "),
    ]),
  }
  const what = optimum ? "optimal rate against width (output level: least loss)" : "size against width"
  print(output, { schema: "lora-scaling/fit/1", of: what, fits }, [[`Log-log slope of the ${what}`, table]])
  return 0
}

interface Fit {
  readonly exponent: number | null
  readonly low: number | null
  readonly high: number | null
  readonly widths: number
  readonly flags: readonly string[]
}

function slopeFit(rows: readonly Row[], { width, value }: FitOptions): Fit {
  const widths = [...new Set(rows.map((row) => number(row, width)))]
  const samples = widths.map((w) => ({
    width: w,
    meanSquares: rows.filter((row) => number(row, width) === w).map((row) => number(row, value) ** 2),
  }))
  const finite = samples.every(({ meanSquares }) => meanSquares.every(Number.isFinite))
  const flags = [...(widths.length < 6 ? ["few widths"] : []), ...(finite ? [] : ["diverged runs"])]
  if (samples.every(({ meanSquares }) => meanSquares.every((v) => v === 0)))
    return { exponent: null, low: null, high: null, widths: widths.length, flags: [...flags, "zero: exponent -inf"] }
  if (!finite || widths.length < 3) return { exponent: null, low: null, high: null, widths: widths.length, flags }
  const fit = slope(samples)
  const one = samples.some(({ meanSquares }) => meanSquares.length < 2)
  const { low, high } = fit.interval
  return one
    ? {
        exponent: fit.exponent,
        low: null,
        high: null,
        widths: widths.length,
        flags: [...flags, "one seed: no interval"],
      }
    : { exponent: fit.exponent, low, high, widths: widths.length, flags }
}

function optimumFit(rows: readonly Row[], [width, rate, loss]: [string, string, string], seed: string): Fit {
  const runs = new Map<string, Row[]>()
  for (const row of rows) {
    const key = `${row[width]} ${row[seed] ?? ""}`
    runs.set(key, [...(runs.get(key) ?? []), row])
  }
  const located = [...runs.values()].map((members): LocatedAtWidth => {
    const grid = members.map((row) => ({ rate: number(row, rate), value: number(row, loss) }))
    return { width: number(members[0]!, width), seed: Number(members[0]![seed] ?? 0), ...optimalRate(grid) }
  })
  const fit = rateAgainstWidth(located)
  const censored = fit.widths.filter((point) => point.censored > 0).map((point) => point.width)
  const seeds = new Set(located.map((point) => point.seed)).size
  const flags = [
    ...(fit.widths.length < 6 ? ["few widths"] : []),
    ...(censored.length > 0 ? [`minimum at the edge of the grid at ${censored.join(", ")}`] : []),
    ...(seeds < 2 ? ["one seed: no interval"] : []),
  ]
  const interval = fit.slope !== null && seeds > 1 ? fit.slope.interval : null
  return {
    exponent: fit.slope?.exponent ?? null,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    widths: fit.widths.length - censored.length,
    flags,
  }
}

async function readRows(path: string): Promise<Row[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new InputError({
      field: "file",
      given: path,
      allowed: `a CSV file that can be read (${error.code})`,
      example: "runs.csv",
    })
  })
  let rows: Row[]
  try {
    rows = parse(text, { columns: true, skip_empty_lines: true, trim: true, bom: true })
  } catch (error) {
    throw new InputError({
      field: "file",
      given: path,
      allowed: `CSV with a header line (${String(error)})`,
      example: "runs.csv",
    })
  }
  if (rows.length === 0)
    throw new InputError({
      field: "file",
      given: path,
      allowed: "a header line and at least one row",
      example: "runs.csv",
    })
  return rows
}

function number(row: Row, column: string): number {
  const text = row[column] ?? ""
  if (/^-?(nan|inf(inity)?)$/i.test(text)) return Number.NaN
  const value = Number(text)
  if (text === "" || Number.isNaN(value))
    throw new InputError({ field: column, given: text, allowed: "a number, nan or inf in every row", example: "0.25" })
  return value
}

function missing(name: string, header: readonly string[]): InputError {
  return new InputError({ field: "column", given: name, allowed: header.join(", "), example: `--width ${header[0]}` })
}
