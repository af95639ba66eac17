import { type CurveColumns, curveTable } from "../fit/curves.js"
import { groupsOf } from "../fit/groups.js"
import { slope } from "../fit/slope.js"
import { InputError } from "../inputError.js"
import { curveFitTable, curvesTable, curveTableJson, type FitJson } from "../report/fit.js"
import type { ReportTable } from "../report/table.js"
import { differingColumns, numberOf, type Row, readRows } from "../table/rows.js"
import { outputOptions, positive, print } from "./terminal.js"

/** Options of a table's columns as typed. */
export interface ColumnOptions {
  readonly width: string
  readonly rate?: string
  readonly loss?: string
  readonly seed: string
  readonly by: readonly string[]
  readonly model?: string
  readonly family?: string
  readonly quantity?: string
  readonly edge: string
}

/** Options of `fit` as typed. */
export interface FitOptions extends ColumnOptions {
  readonly value: string
  readonly json?: boolean
  readonly format: string
}

/** Exponents of the groups of a table: slopes of a size, or of the optimal rate where a rate column is named. */
export async function fitCommand(path: string, options: FitOptions): Promise<number> {
  const output = outputOptions(options)
  if (options.rate !== undefined || options.loss !== undefined) {
    const { columns, share, rows } = await curveRows(path, options)
    const table = curveTable(rows, columns, share)
    const of = "optimal rate against width (output level: least loss)"
    const json = curveTableJson(of, table, share)
    print(output, json, [
      [`Log-log slope of the ${of}`, curveFitTable(table.fits)],
      ["Curves", curvesTable(table.curves)],
      ["What this can and cannot say", { columns: ["reading"], rows: json.says!.map((text) => [text]) }],
    ])
    return 0
  }
  const rows = ofQuantity(await readRows(path, [options.width, options.value], options.by), options.quantity)
  const last = rows[0]!.step === undefined || options.by.includes("step") ? null : lastStep(rows)
  const groups = groupsOf(rows, (row) => options.by.map((name) => row[name]).join(" / "))
  const fits = [...groups].map(([group, members]) => ({
    group: group || "all",
    ...slopeFit(last === null ? members : atStep(last, members, options), options),
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
  const what = `size against width${last === null ? "" : `, at the last step, ${last}`}`
  const json: FitJson = { schema: "lora-scaling/fit/1", of: what, fits }
  print(output, json, [[`Log-log slope of the ${what}`, table]])
  return 0
}

/** The rows of a table of losses against rates, and what its columns are. @throws InputError as `readRows`. */
export async function curveRows(
  path: string,
  options: ColumnOptions,
): Promise<{ columns: CurveColumns; share: number; rows: Row[] }> {
  const { width, rate = "rate", loss = "loss", seed, by, model = null, family = null } = options
  const others = [...by, ...(model === null ? [] : [model])]
  const rows = ofQuantity(await readRows(path, [width, rate, loss], others), options.quantity)
  return { columns: { width, rate, loss, seed, by, model, family }, share: positive("--edge", options.edge), rows }
}

function ofQuantity(rows: Row[], quantity: string | undefined): Row[] {
  const own = quantity === undefined ? rows : rows.filter((row) => row.quantity === quantity)
  if (own.length > 0) return own
  const allowed = "a quantity of the file"
  throw new InputError({ field: "--quantity", given: quantity, allowed, example: "--quantity zA" })
}

function slopeFit(rows: readonly Row[], { width, value, seed }: FitOptions): Omit<FitJson["fits"][number], "group"> {
  const widths = [...new Set(rows.map((row) => numberOf(row, width)))]
  const samples = widths.map((w) => ({
    width: w,
    meanSquares: rows.filter((row) => numberOf(row, width) === w).map((row) => numberOf(row, value) ** 2),
  }))
  const finite = samples.every(({ meanSquares }) => meanSquares.every(Number.isFinite))
  const differing = differingColumns(rows, [width, seed], value)
  const flags = [
    ...(widths.length < 6 ? ["few widths"] : []),
    ...(finite ? [] : ["diverged runs"]),
    ...(differing.length > 0 ? [`one fit over different ${differing.join(", ")}: see --by`] : []),
  ]
  const unknown = { exponent: null, low: null, high: null, widths: widths.length, method: "slope" as const }
  if (samples.every(({ meanSquares }) => meanSquares.every((v) => v === 0)))
    return { ...unknown, flags: [...flags, "zero: exponent -inf"] }
  if (!finite || widths.length < 3) return { ...unknown, flags }
  const fit = slope(samples)
  const one = samples.some(({ meanSquares }) => meanSquares.length < 2)
  const { low, high } = fit.interval
  return one
    ? { ...unknown, exponent: fit.exponent, flags: [...flags, "one seed: no interval"] }
    : { ...unknown, exponent: fit.exponent, low, high, flags }
}

/** Of a training log the last step counts, unless `--by step`. */
function lastStep(rows: readonly Row[]): number {
  return rows.reduce((last, row) => Math.max(last, numberOf(row, "step")), Number.NEGATIVE_INFINITY)
}

/** The rows of a step; a run that has none, because it stopped before, counts as diverged. */
function atStep(step: number, rows: readonly Row[], { width, value, seed }: FitOptions): Row[] {
  const run = (row: Row) => `${row[width]} ${row[seed] ?? ""}`
  const there = rows.filter((row) => numberOf(row, "step") === step)
  const arrived = new Set(there.map(run))
  const stopped = new Map(rows.filter((row) => !arrived.has(run(row))).map((row) => [run(row), row]))
  return [...there, ...[...stopped.values()].map((row) => ({ ...row, [value]: "nan" }))]
}
