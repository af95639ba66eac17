/** A scheme of one's own as it is written: the text of a YAML or JSON file, or of the explorer's editor. */
import { InputError } from "../inputError.js"
import { yamlText } from "../yamlText.js"
import { CATALOGUE } from "./catalogue.js"
import { checkedDefinition, type SchemeDefinition } from "./definition.js"

/** A line of such a text, for a refusal. */
export const SCHEME_LINE = "start: { A: { exponent: -1/2 }, B: zero }"

/**
 * The definition in a YAML or JSON text.
 *
 * @param place where the text stands, for a refusal; @param name the scheme's where the text gives none.
 * @throws InputError for a text that is no YAML, or as {@link ownScheme}.
 */
export function schemeText(text: string, place: string, name: string): SchemeDefinition {
  return ownScheme(titled(yamlText(text, place, SCHEME_LINE), name), place)
}

function titled(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  const { title = (value as { name?: unknown }).name ?? name } = value as { title?: unknown }
  return { name, ...value, title }
}

/**
 * The value as a definition of one's own.
 *
 * @throws InputError as `checkedDefinition`, its field said to be inside of the place; for a name of the catalogue.
 */
export function ownScheme(value: unknown, place: string): SchemeDefinition {
  const definition = checkedIn(value, place)
  if (!CATALOGUE.some((known) => known.name === definition.name)) return definition
  throw new InputError({
    field: `${place}: name`,
    given: definition.name,
    allowed: "a name that the catalogue does not have, so that the two are told apart",
    example: `my-${definition.name}`,
  })
}

function checkedIn(value: unknown, place: string): SchemeDefinition {
  try {
    return checkedDefinition(value)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw error.inside(place)
  }
}
