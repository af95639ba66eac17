import { type Derivation, derive } from "../../src/derive/derive.js"
import { type SchemeDefinition, scheme } from "../../src/scheme/scheme.js"

const known = new Map<string, Derivation>()

/**
 * The derivation of a scheme at values of some of its symbols; several sections need the same, so each is made once.
 */
export function derivationOf(definition: SchemeDefinition, values: Readonly<Record<string, string>> = {}): Derivation {
  const key = JSON.stringify([definition, values])
  const derivation = known.get(key) ?? derive(scheme(definition, values))
  known.set(key, derivation)
  return derivation
}
