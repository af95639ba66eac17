import { checkedScheme, type Scheme } from "./checkedScheme.js"
import type { Alignment, Rates, SchemeDefinition } from "./definition.js"
import { checkedDefinition } from "./definitionSchema.js"

export type { Alignment, Rates, Scheme, SchemeDefinition }

/**
 * The scheme of a definition, with some symbols set.
 *
 * @param values symbol → exponent text; setting `c` on a scheme with two rates sets both.
 * @param free symbols with a default (`rho`, `s`, `o`, `d`) that stay symbols.
 * @throws InputError as `checkedDefinition` and `checkedScheme`.
 */
export function scheme(
  definition: SchemeDefinition,
  values: Readonly<Record<string, string>> = {},
  free: readonly string[] = [],
): Scheme {
  return checkedScheme(checkedDefinition(definition), values, free)
}
