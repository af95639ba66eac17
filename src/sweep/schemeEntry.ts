import { formatAffine, parseAffine } from "../exponent/grammar.js"
import { InputError } from "../inputError.js"
import { schemeNamed } from "../scheme/catalogue.js"
import type { SchemeDefinition } from "../scheme/definition.js"
import { checkedDefinition } from "../scheme/definitionSchema.js"
import { optimiserNamed } from "../scheme/optimiserNames.js"
import { scheme } from "../scheme/scheme.js"
import type { SchemeEntry } from "./fields.js"

/** A scheme at values of its symbols. */
export interface Point {
  readonly definition: SchemeDefinition
  readonly values: Readonly<Record<string, string>>
}

/**
 * The points of one entry of `schemes`: every combination of its symbols' values, by default the scheme's own example.
 *
 * @param asRead the definition as the experiment trains it: it may have fewer symbols.
 * @throws InputError naming the field for an unknown scheme or symbol, or a symbol without a value.
 */
export function pointsOf(
  entry: SchemeEntry,
  index: number,
  asRead: (definition: SchemeDefinition) => SchemeDefinition = (definition) => definition,
): Point[] {
  const field = `schemes[${index}]`
  const { scheme: name, set, optimiser } = typeof entry === "string" ? { scheme: entry } : entry
  const named =
    typeof name === "string"
      ? at(typeof entry === "string" ? field : `${field}.scheme`, () => schemeNamed(name))
      : checkedDefinition(name)
  const definition =
    optimiser === undefined ? named : { ...named, optimiser: optimiserNamed(optimiser, `${field}.optimiser`).name }
  const { symbols: known } = at(field, () => scheme(asRead(definition)))
  const example = Object.entries(named.example ?? {}).filter(([symbol]) => known.includes(symbol))
  const symbols = set === undefined ? example : Object.entries(set)
  const points = symbols.reduce<Record<string, string>[]>(
    (sofar, [symbol, given]) =>
      sofar.flatMap((point) => [given].flat().map((value) => ({ ...point, [symbol]: String(value) }))),
    [{}],
  )
  return points.map((values) => {
    const { symbols: open } = at(`${field}.set`, () => scheme(asRead(definition), values))
    if (open.length === 0) return { definition, values: canonical(values) }
    throw new InputError({
      field: `${field}.set`,
      given: values,
      allowed: `a value for ${open.join(", ")} too`,
      example: JSON.stringify({ ...values, ...Object.fromEntries(open.map((symbol) => [symbol, "-1/2"])) }),
    })
  })
}

/** One text for one exponent, so that -0.5 and -1/2 are one run. */
function canonical(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([symbol, text]) => [symbol, formatAffine(parseAffine(text))]))
}

/** The value, or its InputError with the configuration's field. */
function at<T>(field: string, value: () => T): T {
  try {
    return value()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const { given, allowed, example } = error
    throw new InputError({ field, given, allowed, example: example.replace(/^--set /, "") })
  }
}
