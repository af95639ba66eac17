/** A question to `transfer`, from what was typed to its answer: the command line and the explorer ask it alike. */
import { type AskedScheme, askedScheme, requireSettable } from "../derive/askedScheme.js"
import { type BoundTransfer, boundTransfer, moved as movedBy, rulingForm } from "../derive/transfer.js"
import type { Affine } from "../exponent/affine.js"
import { formatAffine } from "../exponent/grammar.js"
import type { Bracket } from "../fit/bracket.js"
import type { Curve, CurveFit } from "../fit/curves.js"
import { regimeOf } from "../fit/regime.js"
import { InputError } from "../inputError.js"
import { oneOf, positive } from "../optionText.js"
import { optimiserText, type SchemeDefinition } from "../scheme/definition.js"
import { derivationJson } from "./derivation.js"
import { peftConfig } from "./peftConfig.js"
import { regimeSays, type TransferJson } from "./transfer.js"
import { transferAnswer } from "./transferAnswer.js"
import { type Convention, type SideOptions, type Sides, sidesOf, type TransferSide } from "./transferSides.js"

/** What is asked, as typed. */
export interface TransferQuestion extends SideOptions {
  readonly lr: string
  readonly level: string
  /** A rate at the first width that is known to train stably, and one that is known to diverge. */
  readonly held?: string
  readonly failed?: string
  readonly peft?: boolean
}

/** Runs of one's own: the fit of a group, its curves, and how their table was read. */
export interface ObservedCurves {
  readonly read: readonly string[]
  readonly fit: CurveFit
  readonly curves: readonly Curve[]
}

/** A question that was understood: both sides, and both schemes derived. */
export interface AskedTransfer {
  readonly question: TransferQuestion
  readonly lr: number
  readonly level: "features" | "output"
  readonly definitions: readonly [SchemeDefinition, SchemeDefinition]
  /** Whether scheme or optimiser change. */
  readonly isOther: boolean
  readonly sides: Sides
  readonly values: Readonly<Record<string, string>>
  readonly origin: AskedScheme
  readonly target: AskedScheme
}

/**
 * Reads a question.
 *
 * @param second null where scheme and optimiser stay; @param values of symbols.
 * @throws InputError for what was typed, or a scheme without the sizes that are asked about.
 */
export function askedTransfer(
  question: TransferQuestion,
  first: SchemeDefinition,
  second: SchemeDefinition | null,
  values: Readonly<Record<string, string>>,
): AskedTransfer {
  const lr = positive("--lr", question.lr)
  const level = oneOf("--level", question.level, ["features", "output"])
  const isOther = second !== null
  const sides = sidesOf(question, first, isOther)
  requireSettable(values, [first, second ?? first])
  const origin = askedScheme(first, sides.asked, values)
  const target = isOther ? askedScheme(second, sides.asked, values) : origin
  return { question, lr, level, definitions: [first, second ?? first], isOther, sides, values, origin, target }
}

/** The answer. @throws InputError for a `peft` that lacks α, a rank or a rate. */
export function transferJson(asking: AskedTransfer, table: ObservedCurves | null): TransferJson {
  const { question, lr, level, definitions, isOther, sides, values, origin, target } = asking
  const [first, second] = definitions
  const { from, to, asked, convention, held } = sides
  const forms = (["features", "output"] as const).map((which) => {
    const [start, end] = [rulingForm(origin.derivation, which, from), rulingForm(target.derivation, which, to)]
    return start !== null && end !== null ? { from: start, to: end } : null
  })
  const between = isOther ? forms[level === "features" ? 0 : 1]! : null
  const movedAt = (which: "features" | "output") =>
    isOther ? alike(forms[which === "features" ? 0 : 1]!, from, to) : boundTransfer(origin.derivation, which, from, to)
  const moved = movedAt(level)
  const edge = knownEdge(question) ?? (table === null ? null : edgeAt(table.curves, from.width))
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
    optimiser: optimiserText(definition),
    ...side,
  })
  const shapes = { from: { ...described(first, from), rate: lr }, to: described(second, to) }
  const fixedAlpha = asked.rank && question.fromAlpha === undefined && first.multiplier === undefined && !isOther
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
  const peft = question.peft ? peftFor(question, answer.rate, second, to, convention) : null
  return {
    schema: "lora-scaling/transfer/1",
    scheme: first.name,
    level,
    ...shapes,
    answer,
    peft,
    bound,
    observed,
    read: table === null ? [] : [...table.read, ...table.fit.flags.map((flag) => `${table.fit.group}: ${flag}.`)],
    regime: { kind, edge: edge && bracketJson(edge), says: regimeSays(kind, { ...shapes, bound, observed }) },
    assumptions: [...new Set([origin, target].flatMap(({ derivation }) => derivationJson(derivation, 1).assumptions))],
  }
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
  { fromRank }: SideOptions,
  rate: number | null,
  definition: SchemeDefinition,
  { rank, alpha, ratio = 1 }: TransferSide,
  convention: Convention,
): string {
  if (definition.adapter !== undefined && definition.adapter !== "lora")
    throw new InputError({
      field: "--peft",
      given: definition.name,
      allowed: "a scheme of LoRA's two factors: PEFT's other adapters have configurations of their own",
      example: "--scheme lora --peft",
    })
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
  return peftConfig({
    scheme: definition.name,
    optimiser: optimiserText(definition),
    rank,
    alpha,
    convention,
    rate,
    ratio,
  })
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
function knownEdge({ held, failed }: TransferQuestion): Bracket | null {
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
