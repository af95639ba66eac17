/** The answer of `transfer` in words: the rate first, then why, then what is not known, then what was held fixed. */
import { type BoundTransfer, type LayerShape, SIZE_SYMBOLS } from "../derive/transfer.js"
import type { Affine } from "../exponent/affine.js"
import type { RegimeKind } from "../fit/regime.js"
import { rateText } from "./peftConfig.js"
import { changedBesidesWidth, type TransferJson } from "./transfer.js"

/** All that the answer is made from. */
export interface TransferFacts extends Pick<TransferJson, "from" | "to" | "bound" | "observed" | "level"> {
  readonly kind: RegimeKind
  /** The titles of the two sides' schemes. */
  readonly titles: readonly [string, string]
  /** The move of the largest stable rate; null where there is none. */
  readonly moved: BoundTransfer | null
  /** The same at the other level. */
  readonly otherLevel: BoundTransfer | null
  /** The ruling forms of the two sides' bounds where scheme or optimiser change. */
  readonly between: { readonly from: Affine; readonly to: Affine } | null
  /** Where the rank changes and α was not given: the move with α, not the multiplier, held fixed. */
  readonly atFixedAlpha: BoundTransfer | null
  /** What was held fixed besides what both sides share. */
  readonly held: readonly string[]
}

const NAMES: Readonly<Record<keyof LayerShape, string>> = {
  width: "width",
  inputWidth: "input width",
  rank: "rank",
  multiplier: "multiplier of B A",
  ratio: "ratio of the rates",
}

const times = (factor: number) => Number(factor.toPrecision(2)).toString()

const sizeText = (size: number) => String(Number(size.toPrecision(6)))

/** The words for a rate moved by a factor. */
function said(rate: number, factor: number, ratio: number | undefined): string {
  const isSame = Math.abs(factor - 1) < 0.005
  if (ratio !== undefined && ratio !== 1)
    return `Use a learning rate of ${rateText(rate)} for A and ${rateText(rate * ratio)}, ${rateText(ratio)} times that, for B${isSame ? ": the rate of A stays" : ""}.`
  return isSame
    ? `Keep the learning rate of ${rateText(rate)}.`
    : `Use a learning rate of ${rateText(rate)}, ${times(factor)} times the present one.`
}

/** A form of the bound as a product of powers of the sizes: width^(-1/2) * rank^(-1/2). */
function powers(form: Affine): string {
  const sizes = [
    { name: NAMES.width, exponent: form.constant },
    ...Object.entries(SIZE_SYMBOLS).map(([size, symbol]) => ({
      name: NAMES[size as keyof LayerShape],
      exponent: form.coefficient(symbol),
    })),
  ].filter(({ exponent }) => exponent.n !== 0n)
  if (sizes.length === 0) return "no power of any size, so it stays"
  return sizes.map(({ name, exponent }) => `${name}^(${exponent.toFraction()})`).join(" * ")
}

/** The answer to a question of transfer. */
export function transferAnswer(facts: TransferFacts): TransferJson["answer"] {
  const { kind, from, moved, between, observed } = facts
  const ratio = facts.to.ratio
  const answer = (rate: number | null, says: string, why: readonly string[], unknown: readonly string[] = []) => ({
    rate,
    rateB: rate === null || ratio === undefined ? null : rate * ratio,
    says,
    why: [...why],
    unknown: [...unknown, ...UNKNOWN],
    held: [...heldNames(facts), ...facts.held],
  })
  if (kind === "beyond")
    return answer(null, `No rate to give: ${rateText(from.rate)} is beyond the largest stable one already.`, [
      "A rate that is unstable where it is has no place to keep.",
    ])
  if (between !== null) return betweenSchemes(facts, between, answer)
  if (moved === null) {
    if (observed !== null && changedBesidesWidth(facts).length === 0)
      return answer(observed.rate, said(observed.rate, observed.rate / from.rate, ratio), [
        `The rate of least loss in the table moves as width^(${observed.exponent.toFixed(2)}); the scheme has no largest stable rate to go by.`,
      ])
    return answer(null, "No rate follows: the scheme has a rate for A and one for B, and no single largest one.", [
      "With a fixed ratio of the two it has: say --from-ratio, for instance 16.",
    ])
  }
  const rate = from.rate * moved.factor
  const isObserved = kind === "far below" && observed !== null && changedBesidesWidth(facts).length === 0
  const chosen = isObserved ? Math.min(observed.rate, facts.bound?.edge?.high ?? Number.POSITIVE_INFINITY) : rate
  return answer(
    chosen,
    said(chosen, chosen / from.rate, ratio),
    isObserved
      ? [
          `The rate is far below the largest stable one, so that the table decides: its rate of least loss moves as width^(${observed.exponent.toFixed(2)}).`,
          `By the largest stable rate alone it would be ${rateText(rate)}.`,
        ]
      : boundReasons(facts, moved),
    boundUnknowns(facts, moved, rate),
  )
}

function heldNames({ from, to, between }: TransferFacts): string[] {
  if (between === null) return [`The scheme, ${from.scheme}, and the optimiser, ${from.optimiser}.`]
  return [
    ...(from.scheme === to.scheme ? [`The scheme, ${from.scheme}.`] : []),
    ...(from.optimiser === to.optimiser ? [`The optimiser, ${from.optimiser}.`] : []),
  ]
}

function boundReasons(
  { from, to, titles, level }: TransferFacts,
  { exponent, parts, factor }: BoundTransfer,
): string[] {
  const changed = parts.filter(
    ({ size }) => sizeOf(from, size) !== sizeOf(to, size) && (size !== "inputWidth" || to[size]),
  )
  const isAlpha = from.rank === to.rank && from.alpha !== to.alpha
  const steps = changed.map(({ size, factor, exponent }) => {
    const [name, before, after] =
      size === "multiplier" && isAlpha
        ? ["alpha", from.alpha!, to.alpha!]
        : [size === "multiplier" ? "the multiplier of B A" : NAMES[size], sizeOf(from, size), sizeOf(to, size)]
    const effect = exponent.constant.n === 0n ? "changes nothing" : `times ${times(factor)}`
    return `From ${name} ${sizeText(before)} to ${sizeText(after)}: ${effect}.`
  })
  const what = level === "features" ? "what the adapter computes" : "the change of the model's output"
  return [
    `Above some rate training is unstable: in larger and larger models ${what} grows without end. For "${titles[0]}" with ${from.optimiser} that rate goes as ${powers(exponent)}.`,
    ...steps,
    ...(steps.length > 1 ? [`Together: times ${times(factor)}.`] : []),
    "Moved by the same factor, your rate stays as far from instability as it was.",
  ]
}

function boundUnknowns(
  { from, to, level, otherLevel, atFixedAlpha, kind, observed }: TransferFacts,
  moved: BoundTransfer,
  rate: number,
): string[] {
  const others = changedBesidesWidth({ from, to })
  const isOther = otherLevel !== null && Math.abs(otherLevel.factor / moved.factor - 1) > 0.01
  const other = isOther ? rateText(from.rate * otherLevel.factor) : ""
  return [
    ...(kind === "unknown"
      ? [
          `Whether ${rateText(from.rate)} is near the largest stable rate. Far below that rate it is not stability that decides, and another rate may be best. --held and --failed (a rate that trained well, one that diverged), or a table of runs (--fit), would tell.`,
        ]
      : []),
    ...(kind === "far below" && observed === null
      ? [
          `${rateText(from.rate)} is far below the largest stable rate, so that stability is not what decides: how the best rate moves must be seen in runs (--fit).`,
        ]
      : []),
    ...(kind === "far below" && observed !== null && others.length > 0
      ? [
          `${rateText(from.rate)} is far below the largest stable rate, so that stability is not what decides. The table says how the best rate moves with the width, as width^(${observed.exponent.toFixed(2)}), and nothing of the change of ${others.join(", ")}: that must be seen in runs.`,
        ]
      : []),
    ...(isOther
      ? [
          level === "features"
            ? `If what must stay bounded is the model's output and not the layer's features (--level output), the rate is ${other}.`
            : `If what must stay bounded is the layer's features and not the model's output (--level features), the rate is ${other}.`,
        ]
      : []),
    ...(atFixedAlpha !== null && Math.abs(atFixedAlpha.factor / moved.factor - 1) > 0.01
      ? [
          `alpha was not given, so alpha/r was held: alpha grows with the rank. If your alpha stays as it is, the rate is ${rateText(from.rate * atFixedAlpha.factor)}: say --from-alpha.`,
        ]
      : []),
    ...(moved.crosses
      ? [`Another term of the bound rules at the other end; ${rateText(rate)} is the smaller of the two answers.`]
      : []),
  ]
}

const UNKNOWN = ["What depth, batch size, number of steps, schedule and data do to the rate."]

function betweenSchemes(
  { from, to, titles, moved, level }: TransferFacts,
  between: { readonly from: Affine; readonly to: Affine },
  answer: (
    rate: number | null,
    says: string,
    why: readonly string[],
    unknown: readonly string[],
  ) => TransferJson["answer"],
): TransferJson["answer"] {
  const [first, second] = [`${from.scheme} with ${from.optimiser}`, `${to.scheme} with ${to.optimiser}`]
  const names = `"${titles[0]}" with ${from.optimiser} and "${titles[1]}" with ${to.optimiser}`
  const again = `transfer --scheme ${to.scheme} --optimiser ${to.optimiser}${level === "output" ? " --level output" : ""} --lr <the best rate there> --from-width <that width> --to-width ${to.width}`
  if (moved !== null) {
    const rate = from.rate * moved.factor
    const isSame = Math.abs(moved.factor - 1) < 0.005
    return answer(
      rate,
      `Start at a learning rate of ${rateText(rate)}${isSame ? ", the present one" : ""}, and measure one number: how much larger or smaller the best rate of ${to.scheme === from.scheme ? to.optimiser : to.scheme} is.`,
      [
        `The largest stable rates of ${names} both go as ${powers(moved.exponent)}: between the two is a constant, the same at every size.`,
        `Sweep both at one small width. The ratio of their best rates there holds at width ${to.width} too: multiply ${rateText(rate)} by it.`,
      ],
      [`The constant between ${first} and ${second}: exponents do not give it.`],
    )
  }
  const difference = between.to.minus(between.from)
  return answer(
    null,
    `No rate follows from the present one: ${to.scheme === from.scheme ? to.optimiser : to.scheme} needs a small sweep of its own first.`,
    [
      `The largest stable rates of ${names} go as different powers: ${powers(between.from)}, and ${powers(between.to)}.`,
      `Their ratio goes as ${powers(difference)}: a ratio seen at one size is another at the next.`,
      `Sweep ${second} at one small width, then move the best rate: ${again}`,
    ],
    [`The constant between ${first} and ${second}: exponents do not give it.`],
  )
}

function sizeOf(side: TransferJson["to"], size: keyof LayerShape): number {
  return side[size] ?? (size === "inputWidth" ? side.width : 1)
}
