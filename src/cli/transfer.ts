import { curveTable } from "../fit/curves.js"
import { InputError } from "../inputError.js"
import { assumptionTable } from "../report/assumptionTable.js"
import type { ReportTable } from "../report/table.js"
import { type TransferJson, transferTable } from "../report/transfer.js"
import { askedTransfer, type ObservedCurves, type TransferQuestion, transferJson } from "../report/transferQuestion.js"
import { measuredRuns } from "../table/measured.js"
import { readingOf, type TableOptions } from "./tableOptions.js"
import { type Headed, outputOptions, print, schemeWith, settings } from "./terminal.js"

/** Options of `transfer` as typed. */
export interface TransferOptions extends TableOptions, TransferQuestion {
  readonly scheme: string
  readonly toScheme?: string
  readonly set: readonly string[]
  readonly optimiser?: string
  readonly toOptimiser?: string
  readonly fit?: string
  readonly group?: string
  readonly json?: boolean
  readonly format: string
}

/** A good rate moved to other sizes, or another scheme or optimiser: by the derived bound, and by an observed slope. */
export async function transferCommand(options: TransferOptions): Promise<number> {
  const output = outputOptions(options)
  const named = async (name: string, optimiser: string | undefined) =>
    schemeWith(name, optimiser === undefined ? {} : { optimiser })
  const first = await named(options.scheme, options.optimiser)
  const isOther = options.toScheme !== undefined || options.toOptimiser !== undefined
  const second = isOther
    ? await named(options.toScheme ?? options.scheme, options.toOptimiser ?? options.optimiser)
    : null
  const asked = askedTransfer(options, first, second, settings(options.set))
  if (options.fit !== undefined && isOther)
    throw new InputError({
      field: "--fit",
      given: options.fit,
      allowed:
        "a table only where scheme and optimiser stay: between two of them it tells no rate. Without --fit the answer says what to measure",
      example: "--to-scheme pissa, without --fit",
    })
  const table = options.fit === undefined ? null : await observedIn(options.fit, options)
  const json = transferJson(asked, table)
  print(output, json, [
    [json.answer.says, answerTable(json.answer)],
    ...(isOther
      ? []
      : [["Two answers that are not the same thing", transferTable(json, table !== null)] satisfies Headed]),
    [`Regime: ${json.regime.kind}`, { columns: ["reading"], rows: json.regime.says.map((text) => [text]) }],
    ...(table === null
      ? []
      : [["How the table was read", { columns: ["reading"], rows: json.read.map((text) => [text]) }] satisfies Headed]),
    ["Assumptions", assumptionTable(json.assumptions)],
    ...(json.peft === null
      ? []
      : [["PEFT", { columns: ["python"], rows: json.peft.split("\n").map((line) => [line]) }] satisfies Headed]),
  ])
  return 0
}

function answerTable({ why, unknown, held }: TransferJson["answer"]): ReportTable {
  const rows = (part: string, texts: readonly string[]) => texts.map((text, i) => [i === 0 ? part : "", text])
  return {
    columns: ["", "in words"],
    rows: [...rows("why", why), ...rows("not known", unknown), ...rows("held fixed", held)],
  }
}

/** The group of the table that is meant. @throws InputError where there are several and none is named. */
async function observedIn(path: string, options: TransferOptions): Promise<ObservedCurves> {
  const { reading, rules } = readingOf(options, null)
  const { table, runs, read, mixed } = await measuredRuns(path, reading)
  const { fits, curves } = curveTable(table, runs, rules, mixed)
  const fit =
    options.group === undefined && fits.length === 1 ? fits[0] : fits.find(({ group }) => group === options.group)
  if (fit === undefined)
    throw new InputError({
      field: "--group",
      given: options.group ?? "",
      allowed: `a group of the table: ${fits.map(({ group }) => group).join(", ")}`,
      example: `--group "${fits[0]!.group}"`,
    })
  return { fit, read, curves: curves.filter(({ group }) => group === fit.group) }
}
