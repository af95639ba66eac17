import { readFile } from "node:fs/promises"
import { parse } from "csv-parse/sync"
import { type LocatedAtWidth, optimalRate, rateAgainstWidth } from "../fit/optimum.js"
import { slope } from "../fit/slope.js"
import { InputError } from "../inputError.js"
import type { ReportTable } from "../report/table.js"
import { readTable } from "../sweep/export.js"
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

/** Exponents of the groups of a table: slopes of a size, or of the optimal rate where a rate column is named. */
export async function fitCommand(path: string, options: FitOptions): Promise<number> {
  const output = outputOptions(options)
  const optimum = options.rate !== undefined || options.loss !== undefined
  const needed = optimum
    ? [options.width, options.rate ?? "rate", options.loss ?? "loss"]
    : [options.width, options.value]
  const rows = (await readRows(path, needed)).filter(
    (row) => options.quantity === undefined || row.quantity === options.quantity,
  )
  if (rows.length === 0)
    throw new InputError({
      field: "--quantity",
      given: options.quantity ?? "",
      allowed: "a quantity of the file",
      example: "--quantity zA",
    })
  const header = Object.keys(rows[0]!)
  for (const name of [...needed, ...options.by]) if (!header.includes(name)) throw missing(name, header)
  const last = optimum || !header.includes("step") || options.by.includes("step") ? null : lastStep(rows)
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = options.by.map((name) => row[name]).join(" / ")
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const fits = [...groups].map(([group, members]) => ({
    group: group || "all",
    ...(optimum
      ? optimumFit(members, needed as [string, string, string], options.seed)
      : slopeFit(last === null ? members : atStep(last, members, options), options)),
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
  const at = last === null ? "" : `, at the last step, ${last}`
  const what = optimum ? "optimal rate against width (output level: least loss)" : `size against width${at}`
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

function slopeFit(rows: readonly Row[], { width, value, seed }: FitOptions): Fit {
  const widths = [...new Set(rows.map((row) => number(row, width)))]
  const samples = widths.map((w) => ({
    width: w,
    meanSquares: rows.filter((row) => number(row, width) === w).map((row) => number(row, value) ** 2),
  }))
  const finite = samples.every(({ meanSquares }) => meanSquares.every(Number.isFinite))
  const flags = [
    ...(widths.length < 6 ? ["few widths"] : []),
    ...(finite ? [] : ["diverged runs"]),
    ...mixedUp(rows, [width, seed], value),
  ]
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

/** Of a training log the last step counts, unless `--by step`. */
function lastStep(rows: readonly Row[]): number {
  return rows.reduce((last, row) => Math.max(last, number(row, "step")), Number.NEGATIVE_INFINITY)
}

/** The rows of a step; a run that has none, because it stopped before, counts as diverged. */
function atStep(step: number, rows: readonly Row[], { width, value, seed }: FitOptions): Row[] {
  const run = (row: Row) => `${row[width]} ${row[seed] ?? ""}`
  const there = rows.filter((row) => number(row, "step") === step)
  const arrived = new Set(there.map(run))
  const stopped = new Map(rows.filter((row) => !arrived.has(run(row))).map((row) => [run(row), row]))
  return [...there, ...[...stopped.values()].map((row) => ({ ...row, [value]: "nan" }))]
}

/** Columns of a sweep's table that are results. */
const MEASURED = ["id", "loss", "outcome", "outcome_step", "zA", "zB", "output_change"]

/** Says which columns differ between rows with the same key: they are no repetitions of one measurement. */
function mixedUp(rows: readonly Row[], key: readonly string[], value: string): string[] {
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
  return differing.size === 0 ? [] : [`one fit over different ${[...differing].join(", ")}: see --by`]
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
    ...mixedUp(rows, [width, seed, rate], loss),
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

async function readRows(path: string, needed: readonly string[]): Promise<Row[]> {
  // A store may hold experiments of both kinds: those without the needed columns are not meant.
  if (/\.(duckdb|parquet)$/.test(path)) {
    const rows = (await readTable(path)).filter((row) => needed.every((name) => row[name] !== ""))
    if (rows.length > 0) return rows
    const allowed = `a file with results that have ${needed.join(", ")}`
    throw new InputError({ field: "file", given: path, allowed, example: "results.parquet" })
  }
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
