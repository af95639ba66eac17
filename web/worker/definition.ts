import { schemeNamed } from "../../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../../src/scheme/definition.js"
import { schemeText } from "../../src/scheme/schemeText.js"
import { variantOf } from "../../src/scheme/variant.js"
import type { SchemeAsked } from "../messages.js"

/** What one's own scheme is called where its text does not say, and the file that the command line would read. */
const OWN = { name: "mine", file: "mine.yaml" }

/** The definition that is asked about. @throws InputError as the command line does. */
export function definitionOf({ name, text, optimiser }: SchemeAsked): SchemeDefinition {
  const definition = name === null ? schemeText(text, OWN.file, OWN.name) : schemeNamed(name)
  return variantOf(definition, optimiser === "" ? {} : { optimiser })
}

/** The scheme as the command line is told it. */
export function nameAsTyped({ name }: SchemeAsked): string {
  return name ?? OWN.file
}
