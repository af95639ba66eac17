import { formatAffine, parseAffine } from "../exponent/grammar.js"
import { InputError } from "../inputError.js"
import type { Rates, SchemeDefinition } from "../scheme/definition.js"
import { scheme } from "../scheme/scheme.js"
import { type Derivation, derive } from "./derive.js"
import { SIZE_SYMBOLS } from "./transfer.js"

/** The sizes that are asked about, besides the width. */
export interface AskedSizes {
  readonly rank: boolean
  readonly inputWidth: boolean
  /** Whether α is given, so that the multiplier is a size of its own instead of what the scheme says of it. */
  readonly multiplier: boolean
  readonly ratio: boolean
}

/**
 * A scheme derived with the asked sizes as symbols, and the values of other symbols that were taken from its example.
 */
export interface AskedScheme {
  readonly derivation: Derivation
  readonly assumed: Readonly<Record<string, string>>
}

/**
 * The derivation of a scheme in which the asked sizes are symbols; its other symbols, but the rate's, are set: as
 * given, or as in its example.
 *
 * @throws InputError for a ratio of a scheme that has no two rates that differ by a constant at most.
 */
export function askedScheme(
  given: SchemeDefinition,
  asked: AskedSizes,
  values: Readonly<Record<string, string>>,
): AskedScheme {
  const definition = {
    ...given,
    ...(asked.multiplier ? { multiplier: SIZE_SYMBOLS.multiplier } : {}),
    ...(asked.ratio ? { rates: withRatio(given) } : {}),
  }
  const defaults = (["rank", "inputWidth", "multiplier"] as const).filter((field) => definition[field] === undefined)
  const free = defaults.filter((field) => asked[field]).map((field) => SIZE_SYMBOLS[field])
  const { rates, symbols } = scheme(definition, {}, free)
  const ofRates = rates.flatMap((own) => Object.values(own)).flatMap((rate) => (rate === "frozen" ? [] : rate.symbols))
  const settable = new Set([...symbols, ...defaults.map((field) => SIZE_SYMBOLS[field]), "o"])
  const own = Object.fromEntries(Object.entries(values).filter(([symbol]) => settable.has(symbol)))
  const sizes: readonly string[] = Object.values(SIZE_SYMBOLS)
  const assumed = Object.fromEntries(
    Object.entries(definition.example ?? {}).filter(
      ([symbol]) => symbols.includes(symbol) && ![...ofRates, ...sizes].includes(symbol) && own[symbol] === undefined,
    ),
  )
  return { derivation: derive(scheme(definition, { ...assumed, ...own }, free)), assumed }
}

/** The symbols that one of the schemes lets its user set. @throws InputError for a value of another. */
export function requireSettable(values: Readonly<Record<string, string>>, schemes: readonly SchemeDefinition[]): void {
  const known = new Set(
    schemes.flatMap((definition) => [...scheme(definition).symbols, "o", ...Object.values(SIZE_SYMBOLS)]),
  )
  const unknown = Object.keys(values).find((symbol) => !known.has(symbol))
  // The scheme's own refusal names what it has.
  if (unknown !== undefined) scheme(schemes[0]!, { [unknown]: values[unknown]! })
}

/** One rate for A, and for B that times n^lambda. */
function withRatio({ name, rates }: SchemeDefinition): Rates {
  const [pair, ...others] = [rates].flat() as Rates[]
  const isFree = (text: string) => /^[A-Za-z]\w*$/.test(text) && text !== "frozen"
  const isOne = pair !== undefined && others.length === 0 && pair.A !== "frozen" && pair.B !== "frozen"
  if (isOne && isFree(pair.A) && isFree(pair.B)) return { A: "c", B: `c + ${SIZE_SYMBOLS.ratio}` }
  if (isOne && parseAffine(pair.A).key === parseAffine(pair.B).key)
    return { A: pair.A, B: formatAffine(parseAffine(`${pair.A} + ${SIZE_SYMBOLS.ratio}`)) }
  throw new InputError({
    field: "--from-ratio",
    given: name,
    allowed: "a scheme of one adapter that trains both factors, with one rate or two free ones",
    example: "--scheme lora-plus --from-ratio 16",
  })
}
