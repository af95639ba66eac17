import { askedScheme, requireSettable } from "../derive/askedScheme.js"
import { type BoundTransfer, boundTransfer, moved as movedBy, rulingForm } from "../derive/transfer.js"
import type { Affine } from "../exponent/affine.js"
import { formatAffine } from "../exponent/grammar.js"
import type { Bracket } from "../fit/bracket.js"
import { type Curve, type CurveFit, curveTable } from "../fit/curves.js"
import { regimeOf } from "../fit/regime.js"
import { InputError } from "../inputError.js"
import { derivationJson } from "../report/derivation.js"
import { peftConfig } from "../report/peftConfig.js"
import type { ReportTable } from "../report/table.js"
import { regimeSays, type TransferJson, transferTable } from "../report/transfer.js"
import { transferAnswer } from "../report/transferAnswer.js"
import type { SchemeDefinition } from "../scheme/definition.js"
import { measuredRuns } from "../table/measured.js"
import { readingOf, type TableOptions } from "./tableOptions.js"
import { oneOf, outputOptions, positive, print, schemeWith, settings } from "./terminal.js"
import { type Convention, type SideOptions, sidesOf, type TransferSide } from "./transferSides.js"

/** Options of `transfer` as typed. */
export interface TransferOptions extends TableOptions, SideOptions {
  readonly scheme: string
  readonly toScheme?: string
  readonly lr: string
  readonly level: string
  readonly set: readonly string[]
  readonly optimiser?: string
  readonly toOptimiser?: string
  readonly fit?: string
  readonly group?: string
  readonly held?: string
  readonly failed?: string
  readonly peft?: boolean
  readonly json?: boolean
  readonly format: string
}

/** A good rate moved to other sizes, or another scheme or optimiser: by the derived bound, and by an observed slope. */
export async function transferCommand(options: TransferOptions): Promise<number> {
  const output = outputOptions(options)
  const lr = positive("--lr", options.lr)
  const level = oneOf("--level", options.level, ["features", "output"])
  const named = async (name: string, optimiser: string | undefined) =>
    schemeWith(name, optimiser === undefined ? {} : { optimiser })
  const first = await named(options.scheme, options.optimiser)
  const second = await named(options.toScheme ?? options.scheme, options.toOptimiser ?? options.optimiser)
  const isOther = options.toScheme !== undefined || options.toOptimiser !== undefined
  const { from, to, asked, convention, held } = sidesOf(options, first, isOther)
  const values = settings(options.set)
  requireSettable(values, [first, second])
  const origin = askedScheme(first, asked, values)
  const target = isOther ? askedScheme(second, asked, values) : origin
  const forms = (["features", "output"] as const).map((which) => {
    const [start, end] = [rulingForm(origin.derivation, which, from), rulingForm(target.derivation, which, to)]
    return start !== null && end !== null ? { from: start, to: end } : null
  })
  const between = isOther ? forms[level === "features" ? 0 : 1]! : null
  const movedAt = (which: "features" | "output") =>
    isOther ? alike(forms[which === "features" ? 0 : 1]!, from, to) : boundTransfer(origin.derivation, which, from, to)
  const moved = movedAt(level)
  const table = options.fit === undefined || isOther ? null : await observedIn(options.fit, options)
  const edge = knownEdge(options) ?? (table === null ? null : edgeAt(table.curves, from.width))
  const bound =
    moved === null || isOther
      ? null
      : {
          exponent: formatAffine(moved.exponent),
          rate: lr * moved.factor,
          crosses: moved.crosses,
          edge: edge && bracketJson({ low: edge.low * moved.factor, high: edge.high * moved.factor }),
        }
  const observed = table === null ? null : observedRate(table.fit, lr, to.width / from.width)
  const kind = regimeOf(lr, edge)
  const described = (definition: SchemeDefinition, side: TransferSide) => ({
    scheme: definition.name,
    optimiser: definition.optimiser ?? "adam",
    ...side,
  })
  const shapes = { from: { ...described(first, from), rate: lr }, to: described(second, to) }
  const fixedAlpha = asked.rank && options.fromAlpha === undefined && first.multiplier === undefined && !isOther
  const answer = transferAnswer({
    ...shapes,
    bound,
    observed,
    level,
    kind,
    titles: [first.title, second.title],
    moved,
    otherLevel: movedAt(level === "features" ? "output" : "features"),
    between,
    atFixedAlpha: fixedAlpha
      ? boundTransfer(askedScheme(first, { ...asked, multiplier: true }, values).derivation, level, from, {
          ...to,
          multiplier: from.rank / to.rank,
        })
      : null,
    held: [
      ...held,
      ...(Object.keys({ ...origin.assumed, ...target.assumed }).length > 0
        ? [
            `${Object.entries({ ...origin.assumed, ...target.assumed })
              .map(([symbol, value]) => `${symbol} = ${value}`)
              .join(", ")}, as in the scheme's example; --set gives others.`,
          ]
        : []),
    ],
  })
  const peft = options.peft ? peftFor(options, answer.rate, second, to, convention) : null
  const json: TransferJson = {
    schema: "lora-scaling/transfer/1",
    scheme: first.name,
    level,
    ...shapes,
    answer,
    peft,
    bound,
    observed,
    regime: { kind, edge: edge && bracketJson(edge), says: regimeSays(kind, { ...shapes, bound, observed }) },
    assumptions: [...new Set([origin, target].flatMap(({ derivation }) => derivationJson(derivation, 1).assumptions))],
  }
  print(output, json, [
    [answer.says, answerTable(answer)],
    ...(isOther ? [] : [["Two answers that are not the same thing", transferTable(json)] as [string, ReportTable]]),
    [`Regime: ${kind}`, { columns: ["reading"], rows: json.regime.says.map((text) => [text]) }],
    ["Assumptions", { columns: ["assumed"], rows: json.assumptions.map((text) => [text]) }],
    ...(peft === null
      ? []
      : [["PEFT", { columns: ["python"], rows: peft.split("\n").map((line) => [line]) }] as [string, ReportTable]]),
  ])
  return 0
}

/** The move between two bounds that are the same power of every size; null where they are not. */
function alike(
  forms: { readonly from: Affine; readonly to: Affine } | null,
  from: TransferSide,
  to: TransferSide,
): BoundTransfer | null {
  if (forms === null || forms.from.key !== forms.to.key) return null
  return { ...movedBy(forms.from, from, to), crosses: false }
}

/** @throws InputError where α is not known, or no rate follows. */
function peftFor(
  { fromRank }: TransferOptions,
  rate: number | null,
  { name, optimiser = "adam" }: SchemeDefinition,
  { rank, alpha, ratio = 1 }: TransferSide,
  convention: Convention,
): string {
  if (alpha === undefined || fromRank === undefined)
    throw new InputError({
      field: "--peft",
      given: alpha === undefined ? "no alpha" : "no rank",
      allowed: "with --from-alpha and --from-rank: a LoraConfig has both",
      example: "--from-rank 8 --from-alpha 16 --peft",
    })
  if (rate === null)
    throw new InputError({
      field: "--peft",
      given: "a question without a rate",
      allowed: "a question that has one; see the answer without --peft",
      example: "--scheme lora --peft",
    })
  return peftConfig({ scheme: name, optimiser, rank, alpha, convention, rate, ratio })
}

function answerTable({ why, unknown, held }: TransferJson["answer"]): ReportTable {
  const rows = (part: string, texts: readonly string[]) => texts.map((text, i) => [i === 0 ? part : "", text])
  return {
    columns: ["", "in words"],
    rows: [...rows("why", why), ...rows("not known", unknown), ...rows("held fixed", held)],
  }
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
