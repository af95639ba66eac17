import { derive } from "../derive/derive.js"
import { boundTransfer, type Shape } from "../derive/transfer.js"
import { formatAffine } from "../exponent/grammar.js"
import type { Bracket } from "../fit/bracket.js"
import { type Curve, type CurveFit, curveTable } from "../fit/curves.js"
import { regimeOf } from "../fit/regime.js"
import { InputError } from "../inputError.js"
import { derivationJson } from "../report/derivation.js"
import { regimeSays, type TransferJson, transferTable } from "../report/transfer.js"
import { scheme } from "../scheme/scheme.js"
import { measuredRuns } from "../table/measured.js"
import { readingOf, type TableOptions } from "./tableOptions.js"
import { integer, oneOf, outputOptions, positive, print, schemeWith, settings } from "./terminal.js"

/** Options of `transfer` as typed. */
export interface TransferOptions extends TableOptions {
  readonly scheme: string
  readonly fromWidth: string
  readonly toWidth: string
  readonly fromRank: string
  readonly toRank?: string
  readonly lr: string
  readonly level: string
  readonly set: readonly string[]
  readonly optimiser?: string
  readonly fit?: string
  readonly group?: string
  readonly held?: string
  readonly failed?: string
  readonly json?: boolean
  readonly format: string
}

/** A good rate at one width moved to another: by the derived bound, and by an observed slope. */
export async function transferCommand(options: TransferOptions): Promise<number> {
  const output = outputOptions(options)
  const from = shape(options.fromWidth, options.fromRank, "from")
  const to = shape(options.toWidth, options.toRank ?? options.fromRank, "to")
  const lr = positive("--lr", options.lr)
  const level = oneOf("--level", options.level, ["features", "output"])
  const definition = await schemeWith(
    options.scheme,
    options.optimiser === undefined ? {} : { optimiser: options.optimiser },
  )
  const free = from.rank === to.rank || definition.rank !== undefined ? [] : ["rho"]
  const derivation = derive(scheme(definition, settings(options.set), free), { level })
  const moved = boundTransfer(derivation, level, from, to)
  const table = options.fit === undefined ? null : await observedIn(options.fit, options)
  const edge = knownEdge(options) ?? (table === null ? null : edgeAt(table.curves, from.width))
  const bound = moved && {
    exponent: formatAffine(moved.exponent),
    rate: lr * moved.factor,
    crosses: moved.crosses,
    edge: edge && bracketJson({ low: edge.low * moved.factor, high: edge.high * moved.factor }),
  }
  const observed = table === null ? null : observedRate(table.fit, lr, to.width / from.width)
  const kind = regimeOf(lr, edge)
  const shapes = { from: { ...from, rate: lr }, to }
  const json: TransferJson = {
    schema: "lora-scaling/transfer/1",
    scheme: definition.name,
    level,
    ...shapes,
    bound,
    observed,
    regime: { kind, edge: edge && bracketJson(edge), says: regimeSays(kind, { ...shapes, bound, observed }) },
    assumptions: derivationJson(derivation, 1).assumptions,
  }
  const ranks = from.rank === to.rank ? "" : `, rank ${from.rank} to ${to.rank}`
  print(output, json, [
    [
      `${definition.title}: rate ${lr} from width ${from.width} to ${to.width}${ranks}, ${level} level`,
      transferTable(json),
    ],
    [`Regime: ${kind}`, { columns: ["reading"], rows: json.regime.says.map((text) => [text]) }],
    ["Assumptions", { columns: ["assumed"], rows: json.assumptions.map((text) => [text]) }],
  ])
  return 0
}

function shape(width: string, rank: string, side: "from" | "to"): Shape {
  const found = { width: integer(`--${side}-width`, width, 2), rank: integer(`--${side}-rank`, rank) }
  if (found.rank > found.width)
    throw new InputError({ field: `--${side}-rank`, given: rank, allowed: "a rank ≤ the width", example: "4" })
  return found
}

/** The group of the table that is meant. @throws InputError where there are several and none is named. */
async function observedIn(
  path: string,
  options: TransferOptions,
): Promise<{ fit: CurveFit; curves: readonly Curve[] }> {
  const { reading, rules } = readingOf(options, null)
  const { table, runs, mixed } = await measuredRuns(path, reading)
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
  return { fit, curves: curves.filter(({ group }) => group === fit.group) }
}

/** The rate moved by the observed slope; null where the table does not identify it. */
function observedRate(
  { group, exponent, low, high, identified }: CurveFit,
  lr: number,
  ratio: number,
): TransferJson["observed"] {
  if (exponent === null || !identified) return null
  const ends = [low, high].map((end) => (end === null ? null : lr * ratio ** end))
  const [least, most] = ratio >= 1 ? ends : ends.reverse()
  return {
    group,
    exponent,
    interval: bracketJson({ low: low ?? Number.NEGATIVE_INFINITY, high: high ?? Number.POSITIVE_INFINITY }),
    rate: lr * ratio ** exponent,
    rates: bracketJson({ low: least ?? 0, high: most ?? Number.POSITIVE_INFINITY }),
  }
}

/** The edge as typed: the largest rate known to hold at the first width, and the smallest known to fail. */
function knownEdge({ held, failed }: TransferOptions): Bracket | null {
  if (held === undefined && failed === undefined) return null
  const low = held === undefined ? 0 : positive("--held", held)
  const high = failed === undefined ? Number.POSITIVE_INFINITY : positive("--failed", failed)
  if (low < high) return { low, high }
  throw new InputError({ field: "--failed", given: failed, allowed: `a rate above --held ${held}`, example: "1e-3" })
}

/** What all curves at a width say of the edge: below the least rate that held, up to the least that failed. */
function edgeAt(curves: readonly Curve[], width: number): Bracket | null {
  const edges = curves.filter((curve) => curve.width === width).map(({ edge }) => edge)
  if (edges.length === 0) return null
  return { low: Math.min(...edges.map(({ low }) => low)), high: Math.min(...edges.map(({ high }) => high)) }
}

function bracketJson({ low, high }: Bracket): { low: number | null; high: number | null } {
  return { low: low === 0 || !Number.isFinite(low) ? null : low, high: Number.isFinite(high) ? high : null }
}
