/** The two sides of a question to `transfer`: sizes before and after, and what stays. */
import type { AskedSizes } from "../derive/askedScheme.js"
import type { LayerShape } from "../derive/transfer.js"
import { parseAffine } from "../exponent/grammar.js"
import { InputError } from "../inputError.js"
import { unknownName } from "../nearest.js"
import { integer, positive } from "../optionText.js"
import type { SchemeDefinition } from "../scheme/definition.js"

/** Options of the two sides, as typed; what the second leaves out is as at the first. */
export interface SideOptions {
  readonly fromWidth: string
  readonly toWidth?: string
  readonly fromInputWidth?: string
  readonly toInputWidth?: string
  readonly fromRank?: string
  readonly toRank?: string
  readonly fromAlpha?: string
  readonly toAlpha?: string
  readonly convention?: string
  readonly toConvention?: string
  readonly fromRatio?: string
  readonly toRatio?: string
}

/** A run's sizes, with α as it was given. */
export interface TransferSide extends LayerShape {
  readonly alpha?: number
}

/** What B A is multiplied by. */
export type Convention = "alpha/r" | "alpha/sqrt(r)" | "alpha"

/** Both sides, what is asked of the bound, and what was held. */
export interface Sides {
  readonly from: TransferSide
  readonly to: TransferSide
  readonly asked: AskedSizes
  /** The second side's. */
  readonly convention: Convention
  /** What was held fixed, a sentence each. */
  readonly held: readonly string[]
}

/** Spellings of the conventions, without punctuation, α as alpha and √ as sqrt. */
const CONVENTIONS: ReadonlyMap<string, Convention> = new Map([
  ["alphar", "alpha/r"],
  ["r", "alpha/r"],
  ["lora", "alpha/r"],
  ["peft", "alpha/r"],
  ["alphasqrtr", "alpha/sqrt(r)"],
  ["sqrtr", "alpha/sqrt(r)"],
  ["sqrt", "alpha/sqrt(r)"],
  ["rslora", "alpha/sqrt(r)"],
  ["alpha", "alpha"],
  ["none", "alpha"],
])

/** The rank where none is said and the bound depends on it. */
const RANK = 4

/**
 * The two sides as typed.
 *
 * @param isOther whether scheme or optimiser change, so that sizes need not.
 * @throws InputError for a number that is none, a rank above the width, α at one side only, or two sides that are the
 * same.
 */
export function sidesOf(options: SideOptions, definition: SchemeDefinition, isOther: boolean): Sides {
  const width = pair(options, "Width", (field, text) => integer(field, text, 2))!
  const inputWidth = pair(options, "InputWidth", (field, text) => integer(field, text, 2), width[0])
  const rank = pair(options, "Rank", (field, text) => integer(field, text)) ?? [RANK, RANK]
  const alpha = pair(options, "Alpha", positive)
  const ratio = pair(options, "Ratio", positive, 1)
  const ownConvention = conventionOf(definition)
  const first = options.convention === undefined ? ownConvention : convention("--convention", options.convention)
  const second = options.toConvention === undefined ? first : convention("--to-convention", options.toConvention)
  if (first !== second && alpha === undefined)
    throw new InputError({
      field: "--to-convention",
      given: options.toConvention,
      allowed: "with --from-alpha: what alpha is multiplied to depends on it",
      example: "--from-alpha 16 --to-convention 'alpha/sqrt(r)'",
    })
  const side = (i: 0 | 1, used: Convention): TransferSide => ({
    width: width[i],
    rank: rank[i],
    ...(inputWidth === undefined ? {} : { inputWidth: inputWidth[i] }),
    ...(alpha === undefined ? {} : { alpha: alpha[i], multiplier: multiplierOf(used, alpha[i], rank[i]) }),
    ...(ratio === undefined ? {} : { ratio: ratio[i] }),
  })
  const [from, to] = [side(0, first), side(1, second)]
  for (const [name, { width, inputWidth = width, rank }] of [["from", from] as const, ["to", to] as const])
    if (rank > Math.min(width, inputWidth))
      throw new InputError({
        field: `--${name}-rank`,
        given: String(rank),
        allowed: "a rank ≤ the width",
        example: "4",
      })
  if (!isOther && JSON.stringify(from) === JSON.stringify(to))
    throw new InputError({
      field: "--to-width",
      given: "the same as before",
      allowed:
        "something that changes: --to-width, --to-rank, --to-alpha, --to-ratio, --to-input-width, --to-scheme or --to-optimiser",
      example: "--to-width 8192",
    })
  const asked = {
    rank: from.rank !== to.rank,
    inputWidth: inputWidth !== undefined,
    multiplier: alpha !== undefined && (from.multiplier !== to.multiplier || definition.multiplier !== undefined),
    ratio: ratio !== undefined,
  }
  return { from, to, asked, convention: second, held: heldFixed({ from, to }, options, [first, second], definition) }
}

/** A size at both sides; undefined where neither names it. */
function pair(
  options: SideOptions,
  name: "Width" | "InputWidth" | "Rank" | "Alpha" | "Ratio",
  parse: (field: string, text: string) => number,
  otherwise?: number,
): readonly [number, number] | undefined {
  const [before, after] = [options[`from${name}`], options[`to${name}`]]
  const field = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  if (before === undefined && after === undefined) return undefined
  if (before === undefined && otherwise === undefined)
    throw new InputError({
      field: `--from${field}`,
      given: "nothing",
      allowed: `a value beside --to${field}`,
      example: `--from${field} ${after}`,
    })
  const first = before === undefined ? otherwise! : parse(`--from${field}`, before)
  return [first, after === undefined ? first : parse(`--to${field}`, after)]
}

function convention(field: string, text: string): Convention {
  const spelt = text
    .toLowerCase()
    .replaceAll("α", "alpha")
    .replaceAll("√", "sqrt")
    .replace(/[^a-z]/g, "")
  const found = CONVENTIONS.get(spelt)
  if (found === undefined) throw unknownName(field, text, ["alpha/r", "alpha/sqrt(r)", "none"], `${field} alpha/r`)
  return found
}

/** The convention that a scheme's own multiplier says: r^(−1/2) or, as in PEFT, r^(−1). */
function conventionOf({ multiplier = "-rho" }: SchemeDefinition): Convention {
  return parseAffine(multiplier).coefficient("rho").equals("-1/2") ? "alpha/sqrt(r)" : "alpha/r"
}

function multiplierOf(used: Convention, alpha: number, rank: number): number {
  return { "alpha/r": alpha / rank, "alpha/sqrt(r)": alpha / Math.sqrt(rank), alpha }[used]
}

function heldFixed(
  { from, to }: { readonly from: TransferSide; readonly to: TransferSide },
  { fromRank }: SideOptions,
  [first, second]: readonly [Convention, Convention],
  { multiplier }: SchemeDefinition,
): string[] {
  const same = (text: string, isSame: boolean) => (isSame ? [text] : [])
  const convention =
    first === second
      ? `The multiplier of B A is ${first} at both sides${first === "alpha/r" ? ", PEFT's default" : ""}.`
      : `The multiplier of B A is ${first} before and ${second} after.`
  return [
    ...same(`The width, ${from.width}.`, from.width === to.width),
    ...(from.inputWidth !== undefined
      ? same(`The input width, ${from.inputWidth}.`, from.inputWidth === to.inputWidth)
      : ["The layer's input is as wide as its output; --from-input-width and --to-input-width say otherwise."]),
    ...same(fromRank === undefined ? "The rank." : `The rank, ${from.rank}.`, from.rank === to.rank),
    ...(from.alpha !== undefined
      ? [...same(`alpha, ${from.alpha}.`, from.alpha === to.alpha), convention]
      : [
          multiplier === undefined
            ? "What B A is multiplied by (alpha/r in PEFT)."
            : `alpha; the multiplier of B A is the scheme's own, n^(${multiplier}) with rank n^rho.`,
        ]),
    ...(from.ratio !== undefined
      ? same(`The ratio of the rates of B and A, ${from.ratio}.`, from.ratio === to.ratio)
      : ["The ratio of the rates of B and A."]),
  ]
}
