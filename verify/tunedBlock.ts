/** The schemes of a sweep of fine-tunings as a derivation has them. */
import { formatAffine } from "../src/exponent/grammar.js"
import type { BlockKind } from "../src/program/models/transformer.js"
import { schemeNamed } from "../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../src/scheme/definition.js"
import { onModel } from "../src/scheme/onModel.js"
import { scheme as ready, type Scheme } from "../src/scheme/scheme.js"

/** A scheme of the sweep on the block that it adapts, with one free rate, n^c: that of A, which the table has. */
export function tunedBlock(kind: BlockKind, sites: readonly string[], name: string): SchemeDefinition {
  const own = schemeNamed(name)
  return { ...onModel(kind, own), rates: asTabled(own), model: { kind, sites: [...sites] } }
}

/** A's rate n^c, and B's over it the power of n that the scheme has at its own example, as the sweep does. */
function asTabled(definition: SchemeDefinition): SchemeDefinition["rates"] {
  const [{ A, B }] = ready(definition, definition.example ?? {}).rates as [Scheme["rates"][number]]
  if (A === "frozen" || B === "frozen") return definition.rates
  return { A: "c", B: `c + (${formatAffine(B.minus(A))})` }
}
