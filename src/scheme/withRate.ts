import { formatAffine, parseAffine } from "../exponent/grammar.js"
import { isPair, type SchemeDefinition } from "./definition.js"

/**
 * The scheme with another rate of A, B's over it as it was; where one is frozen, with another rate of the other. A scheme
 * with rates for several layers stays as it is.
 *
 * @param rate its exponent; @param at values of symbols that the ratio of the two rates is read at.
 * @throws InputError for a rate outside the grammar.
 */
export function withRate(
  definition: SchemeDefinition,
  rate: string,
  at: Readonly<Record<string, string>> = {},
): SchemeDefinition {
  const { rates } = definition
  if (!isPair(rates)) return definition
  const { A, B } = rates
  if (A === "frozen" || B === "frozen") {
    const own = { A: A === "frozen" ? A : rate, B: B === "frozen" ? B : rate }
    return { ...definition, rates: { ...rates, ...own } }
  }
  const values = new Map(Object.entries(at).map(([symbol, text]) => [symbol, parseAffine(text)]))
  const ratio = parseAffine(B).minus(parseAffine(A)).substitute(values)
  return { ...definition, rates: { ...rates, A: rate, B: formatAffine(parseAffine(rate).plus(ratio)) } }
}
