/** A scheme of one's own as it is written: the text of a YAML or JSON file, or of the explorer's editor. */
import { InputError, inside } from "../inputError.js"
import { yamlText } from "../yamlText.js"
import { CATALOGUE } from "./catalogue.js"
import type { SchemeDefinition } from "./definition.js"
import { checkedDefinition } from "./definitionSchema.js"
import { requireExponents } from "./exponents.js"

/** A line of such a text, for a refusal. */
export const SCHEME_LINE = "start: { A: { exponent: -1/2 }, B: zero }"

/**
 * The definition in a YAML or JSON text.
 *
 * @param place where the text stands, for a refusal; @param name the scheme's where the text gives none.
 * @throws InputError for a text that is no YAML, or as {@link ownScheme}.
 */
export function schemeText(text: string, place: string, name: string): SchemeDefinition {
  const { value, lineOf } = yamlText(text, place, SCHEME_LINE)
  if (typeof value !== "object" || value === null || Array.isArray(value)) return ownScheme(value, place)
  const own: { readonly name?: unknown; readonly title?: unknown } = value
  const named = { name, ...own }
  const prefix = `${named.name}.`
  return ownScheme({ ...named, title: own.title ?? named.name }, place, (field) =>
    lineOf(field.startsWith(prefix) ? field.slice(prefix.length) : field),
  )
}

/**
 * The value as a definition of one's own.
 *
 * @param lineOf the line of a field, where the value is that of a text.
 * @throws InputError as `checkedDefinition` and `requireExponents`, its field said to be inside of the place; for a name of the catalogue.
 */
export function ownScheme(value: unknown, place: string, lineOf?: (field: string) => number | null): SchemeDefinition {
  try {
    return checkedOwn(value)
  } catch (error) {
    throw inside(error, place, lineOf)
  }
}

function checkedOwn(value: unknown): SchemeDefinition {
  const definition = checkedDefinition(value)
  requireExponents(definition)
  if (!CATALOGUE.some((known) => known.name === definition.name)) return definition
  throw new InputError({
    field: "name",
    given: definition.name,
    allowed: "a name that the catalogue does not have, so that the two are told apart",
    example: `my-${definition.name}`,
  })
}
