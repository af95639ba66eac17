import { isAbsolute, relative } from "node:path"
import { z } from "zod"
import { type MeasuredCheck, measuredChecks, type Recorded } from "../../verify/compare/measuredCheck.js"
import type { Setting } from "../../verify/compare/setting.js"
import { checked, documented } from "../checked.js"
import { formatAffine, parseAffine } from "../exponent/grammar.js"
import { InputError } from "../inputError.js"
import { unknownName } from "../nearest.js"
import { integer } from "../optionText.js"
import { powerLabel } from "../report/figures/axes.js"
import { coordinateFigure } from "../report/figures/coordinates.js"
import { optimiserText } from "../scheme/definition.js"
import { scheme } from "../scheme/scheme.js"
import { groupsOf } from "../table/groups.js"
import { measuredRuns } from "../table/measured.js"
import { readTable } from "../table/readTable.js"
import type { Column } from "../table/table.js"
import { numberedColumns } from "../table/wide.js"
import { wildcard } from "../wildcard.js"
import { writeFileAtomic } from "../writeFileAtomic.js"
import { written } from "../written.js"
import { readYaml } from "../yamlFile.js"
import { checkedSettings, type SettingOptions } from "./checkedSettings.js"
import { withTable } from "./folderTable.js"
import { readingOf, type TableOptions } from "./tableOptions.js"
import { outputOptions, print } from "./terminal.js"

/** Options of `check --measured` as typed. */
export interface MeasuredOptions
  extends Pick<
    TableOptions,
    "width" | "step" | "seed" | "by" | "pool" | "wide" | "wideColumns" | "separator" | "decimal" | "tableName"
  > {
  readonly measured?: string
  readonly module?: string
  readonly value?: string
  readonly map?: string
  readonly updates?: string
  readonly figure?: string
}

const MODULES = ["module", "layer", "name", "parameter", "param", "tensor", "quantity"]
const VALUES = ["value", "l1", "rms", "l2", "size", "abs_mean", "mean_abs", "std"]
const STEPS = ["step", "_step", "global_step", "t", "iteration"]

/** What is read from a module's name where no map says it: outputs of PEFT's lora_A and lora_B, and B itself. */
const USUAL: readonly (readonly [RegExp, string])[] = [
  [/lora_B(\.\w+)?\.weight$/, "b"],
  [/lora_A(\.\w+)?$/, "zA"],
  [/lora_B(\.\w+)?$/, "zB"],
]

/** Recorded sizes of one's own model beside the derived exponents; 1 if one is contradicted. */
export async function checkMeasured(name: string, options: MeasuredOptions & SettingOptions): Promise<number> {
  const output = outputOptions(options)
  const [setting] = (await checkedSettings(name, options)) as [Setting]
  const path = options.measured!
  const { recorded, read, updates } = await withTable(path, async (file, told) => {
    const found = await recordedIn(file, options, setting)
    return { ...found, read: found.read.map(told) }
  })
  const checks = measuredChecks(setting, recorded, updates)
  const { definition, values } = setting
  const at = Object.entries(values).map(([symbol, value]) => `${symbol} = ${formatAffine(parseAffine(value))}`)
  const json = {
    schema: "lora-scaling/check-measured/1",
    scheme: definition.name,
    at: values,
    read,
    checks: checks.map(({ samples, ...check }) => ({ ...check, widths: samples.map(({ width }) => width) })),
  }
  print(output, json, [
    [
      `Recorded sizes beside ${definition.name} with ${optimiserText(definition)} at ${at.join(", ")}`,
      {
        columns: ["module", "read as", "step", "derived", "slope", "95 %", "verdict", "why"],
        rows: checks.map((check) => [
          check.module,
          check.quantity,
          check.step,
          check.derived.map((exponent) => (exponent === null ? "-inf" : String(exponent))).join(" or "),
          check.exponent?.toFixed(3) ?? null,
          check.interval === null ? null : `${check.interval.low.toFixed(3)} ... ${check.interval.high.toFixed(3)}`,
          check.verdict === "none" ? null : check.verdict,
          check.why,
        ]),
      },
    ],
    [
      "How the table was read",
      {
        columns: ["reading"],
        rows: [
          ...read,
          `The rate is taken as ${at.join(", ")}: --set c=0 for one rate at every width, c=-1/2 for a rate that falls as n^(-1/2).`,
        ].map((text) => [text]),
      },
    ],
  ])
  if (options.figure !== undefined) {
    const { renderFigure } = await import("../report/figure.js")
    const { figure } = options
    const { svg } = await renderFigure(coordinateFigure(figurePoints(checks)))
    await written("--figure", figure, () => writeFileAtomic(figure, svg))
  }
  return checks.some(({ verdict }) => verdict === "contradicts") ? 1 : 0
}

async function recordedIn(
  path: string,
  options: MeasuredOptions,
  { definition, values }: Setting,
): Promise<{ recorded: Recorded[]; read: readonly string[]; updates: number | null }> {
  const given = await readTable(path, { table: options.tableName })
  const named = (option: string, name: string | undefined, usual: readonly string[]) =>
    name === undefined ? given.find(usual) : given.column(name, option).name
  const module = named("--module", options.module, MODULES)
  const step = options.step === "none" ? null : named("--step", options.step, STEPS)
  const value = options.wide === undefined ? named("--value", options.value, VALUES) : (options.value ?? "value")
  if (value === null && numberedColumns(given).length > 1)
    throw new InputError({
      field: "--value",
      given: given.columns.join(", "),
      allowed: `a column of sizes (${VALUES.join(", ")} are known); or, where each of these numbers is a width, --wide width`,
      example: "--wide width",
    })
  for (const [option, name, usual] of [
    ["--module", module, MODULES],
    ["--value", value, VALUES],
  ] as const)
    if (name === null)
      throw new InputError({
        field: option,
        given: given.columns.join(", "),
        allowed: `the name of a column; known by name are ${usual.join(", ")}`,
        example: `${option} ${given.columns.at(-1)}`,
      })
  // As `inspect --table` writes it: several quantities of a module, named in a column.
  const column = given.find(["quantity"])
  const quantity =
    column === null || column === module || options.pool.includes(column) || options.map !== undefined ? null : column
  const others = quantity === null || options.by.includes(quantity) ? options.by : [...options.by, quantity]
  const by = [module!, ...(step === null ? [] : [step])]
  const { reading } = readingOf(tableOptions(options, [...by, ...others]), value!)
  const { table, runs, read, mixed } = await measuredRuns(path, reading)
  if (mixed.length > 0)
    throw new InputError({
      field: "--by",
      given: `one size for rows that differ in ${mixed.join(", ")}`,
      allowed: "--by for columns that tell settings apart, or --pool for such as do not matter",
      example: `--by ${mixed[0]}`,
    })
  const groups = [...groupsOf(runs, (run) => JSON.stringify(run.by)).values()]
  const names = [...new Set(groups.map(([run]) => run!.by[0]!))]
  const quantities = Object.keys(scheme(definition, values).program.quantities)
  const told = quantity === null ? -1 : by.length + others.indexOf(quantity)
  const quantityOf = await mapping(options.map, names, quantities)
  const recorded = groups.map((own): Recorded => {
    const [name, , ...rest] = own[0]!.by
    const others = step === null ? own[0]!.by.slice(1) : rest
    // Runs that left the finite numbers decide nothing; those that were not finished say nothing.
    const ended = own.flatMap(({ width, outcome }) =>
      outcome.kind === "value"
        ? [{ width, square: outcome.value ** 2 }]
        : outcome.kind === "diverged"
          ? [{ width, square: Number.NaN }]
          : [],
    )
    const widths = [...groupsOf(ended, ({ width }) => String(width)).values()]
    return {
      module: [name!, ...others].join(" / "),
      step: step === null ? null : stepNumber(table.column(step), own[0]!.row),
      quantity: quantityOf(name!) ?? quantities.find((known) => known === own[0]!.by[told]) ?? null,
      samples: widths
        .map((values) => ({ width: values[0]!.width, meanSquares: values.map(({ square }) => square) }))
        .sort((x, y) => x.width - y.width),
    }
  })
  const isFrame = COORDINATE_FRAME.every((name) => given.has(name)) && step === "t" && value!.startsWith("l")
  const isFromOne = isFrame && Math.min(...recorded.map((each) => each.step!)) === 1
  const typed = options.updates === undefined ? null : integer("--updates", options.updates, 0)
  const counting =
    step === null
      ? "No column of steps: what is derived for all later steps is meant."
      : typed !== null
        ? `Steps are in column ${step}; the first had seen ${typed} updates.`
        : isFromOne
          ? "A frame of columns as mup's get_coord_data gives it, which records t = 1 before the first update: add --updates 0 if this one did. Without it, steps at which that matters are inconclusive."
          : `Steps are in column ${step}; whether the first was recorded before its update or after is not known: add --updates 0 for before, --updates 1 for after.`
  return {
    recorded,
    read: [
      `Modules are in column ${module}, sizes in column ${value}${quantity === null ? "" : `, what they are sizes of in column ${quantity}`}.`,
      counting,
      ...read,
    ],
    updates: typed,
  }
}

/** The columns of a frame of mup's `get_coord_data`, beside its sizes l1 and l2. */
const COORDINATE_FRAME = ["width", "module", "t"]

/** The options of a table as those that this command has give them: each row is a size of its own. */
function tableOptions(options: MeasuredOptions, by: readonly string[]): TableOptions {
  const { width, seed, pool, wide, wideColumns, separator, decimal, tableName } = options
  const given = { wide, wideColumns, separator, decimal, tableName }
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return { width, seed, pool, ...named, by, step: "none", at: "last", edge: "0.02" }
}

function stepNumber(column: Column, row: number): number {
  const step = column.value(row)
  if (step !== null && Number.isInteger(step) && step >= 0) return step
  throw column.refusal(row, "a whole number ≥ 0, or --step none where the column counts no steps", "100")
}

const MapFile = documented(
  z.record(z.string(), documented(z.string(), "the name of a quantity, or none", "zA")),
  "names of modules, * standing for any part of one, each with a quantity",
  { "*.lora_A": "zA" },
)

/** The quantity of each module: by the map's first pattern that fits, without a map by usual names. */
async function mapping(
  path: string | undefined,
  modules: readonly string[],
  quantities: readonly string[],
): Promise<(module: string) => string | null> {
  if (path === undefined)
    return (module) => {
      const usual = quantities.includes(module) ? module : USUAL.find(([pattern]) => pattern.test(module))?.[1]
      return usual !== undefined && quantities.includes(usual) ? usual : null
    }
  const file = { path: isAbsolute(path) ? path : relative(".", path), field: "--map", example: '"*.lora_A": zA' }
  const patterns = await readYaml(file, (value) =>
    Object.entries(checked(MapFile, value, "map")).map(([text, quantity]) => {
      const pattern = wildcard(text)
      if (!modules.some((module) => pattern.test(module))) throw unknownName(text, text, modules)
      if (quantity !== "none" && !quantities.includes(quantity))
        throw unknownName(text, quantity, [...quantities, "none"])
      return { pattern, quantity: quantity === "none" ? null : quantity }
    }),
  )
  return (module) => patterns.find(({ pattern }) => pattern.test(module))?.quantity ?? null
}

/** The last step's sizes, the derived power through the widest width; without one, the fitted. */
function figurePoints(checks: readonly MeasuredCheck[]) {
  const last = Math.max(...checks.map(({ step }) => step ?? 0))
  return checks.flatMap(({ module, step, samples: all, derived, exponent }) => {
    const samples = all.filter(({ meanSquares }) => meanSquares.every(Number.isFinite))
    const power = derived.at(-1) ?? exponent
    if ((step ?? last) !== last || power === null || samples.length === 0) return []
    const size = (meanSquares: readonly number[]) =>
      Math.sqrt(meanSquares.reduce((x, y) => x + y, 0) / meanSquares.length)
    const widest = samples.at(-1)!
    return samples.map(({ width, meanSquares }) => ({
      quantity: module,
      width,
      value: size(meanSquares),
      derived: size(widest.meanSquares) * (width / widest.width) ** power,
      law: powerLabel("n", derived.length > 0 ? String(power) : `${power.toFixed(2)}, fitted`),
    }))
  })
}
