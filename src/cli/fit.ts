import { curveTable } from "../fit/curves.js"
import { slope } from "../fit/slope.js"
import { curveFitTable, curvesTable, curveTableJson, type FitJson } from "../report/fit.js"
import type { ReportTable } from "../report/table.js"
import { groupsOf } from "../table/groups.js"
import { measuredRuns } from "../table/measured.js"
import type { Run } from "../table/runs.js"
import { type Told, withTable } from "./folderTable.js"
import { readingOf, type TableOptions } from "./tableOptions.js"
import { outputOptions, print } from "./terminal.js"

/** Options of `fit` as typed. */
export interface FitOptions extends TableOptions {
  readonly value: string
  readonly json?: boolean
  readonly format: string
}

/** Exponents of the groups of a table: slopes of a size, or of the optimal rate where a rate column is named. */
export async function fitCommand(path: string, options: FitOptions): Promise<number> {
  const isSize = options.rate === undefined && options.loss === undefined && options.wide !== "rate"
  return withTable(path, (file, told) => (isSize ? sizes(file, told, options) : curves(file, told, options)))
}

async function curves(path: string, told: Told, options: FitOptions): Promise<number> {
  const output = outputOptions(options)
  const { reading, rules } = readingOf(options, null)
  const { table, runs, mixed, ...rest } = await measuredRuns(path, reading)
  const read = rest.read.map(told)
  const found = curveTable(table, runs, rules, mixed)
  const best = rules.goal === "min" ? "least loss" : "best score"
  const of = `optimal rate against width (output level: ${best})`
  const json = curveTableJson(of, found, rules.share, read)
  print(output, json, [
    [`Log-log slope of the ${of}`, curveFitTable(found.fits)],
    ["Curves", curvesTable(found.curves)],
    ...readTables(read),
    ["What this can and cannot say", { columns: ["reading"], rows: json.says!.map((text) => [text]) }],
  ])
  return 0
}

async function sizes(path: string, told: Told, options: FitOptions): Promise<number> {
  const output = outputOptions(options)
  const { runs, mixed, ...rest } = await measuredRuns(path, readingOf(options, options.value).reading)
  const read = rest.read.map(told)
  const groups = groupsOf(runs, ({ by }) => by.join(" / "))
  const fits = [...groups].map(([group, members]) => ({ group: group || "all", ...slopeFit(members, mixed) }))
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
  const json: FitJson = { schema: "lora-scaling/fit/1", of: "size against width", fits, read: [...read] }
  print(output, json, [["Log-log slope of the size against width", table], ...readTables(read)])
  return 0
}

function readTables(read: readonly string[]): [string, ReportTable][] {
  return read.length === 0
    ? []
    : [["How the table was read", { columns: ["reading"], rows: read.map((text) => [text]) }]]
}

/** The slope of a size over the runs of one group; runs that were not finished say nothing of it. */
function slopeFit(runs: readonly Run[], mixed: readonly string[]): Omit<FitJson["fits"][number], "group"> {
  const told = runs.filter(({ outcome }) => outcome.kind === "value" || outcome.kind === "diverged")
  const samples = [...groupsOf(told, ({ width }) => String(width)).values()].map((own) => ({
    width: own[0]!.width,
    meanSquares: own.map(({ outcome }) => (outcome.kind === "value" ? outcome.value ** 2 : Number.NaN)),
  }))
  const finite = samples.every(({ meanSquares }) => meanSquares.every(Number.isFinite))
  const flags = [
    ...(samples.length < 6 ? ["few widths"] : []),
    ...(finite ? [] : ["diverged runs"]),
    ...(mixed.length > 0 ? [`one fit over different ${mixed.join(", ")}: see --by`] : []),
  ]
  const unknown = { exponent: null, low: null, high: null, widths: samples.length, method: "slope" as const }
  if (samples.every(({ meanSquares }) => meanSquares.every((v) => v === 0)))
    return { ...unknown, flags: [...flags, "zero: exponent -inf"] }
  const zero = samples.find(({ meanSquares }) => meanSquares.every((v) => v === 0))
  if (zero !== undefined) return { ...unknown, flags: [...flags, `zero at width ${zero.width} alone`] }
  if (!finite || samples.length < 3) return { ...unknown, flags }
  const fit = slope(samples)
  const one = samples.some(({ meanSquares }) => meanSquares.length < 2)
  const { low, high } = fit.interval
  return one
    ? { ...unknown, exponent: fit.exponent, flags: [...flags, "one seed: no interval"] }
    : { ...unknown, exponent: fit.exponent, low, high, flags }
}
