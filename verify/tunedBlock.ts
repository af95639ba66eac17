/** The schemes of a sweep of fine-tunings as a derivation has them. */
import type { BlockKind } from "../src/program/models/transformer.js"
import { schemeNamed } from "../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../src/scheme/definition.js"
import { onModel } from "../src/scheme/onModel.js"
import { withRate } from "../src/scheme/withRate.js"

/**
 * A scheme of the sweep on the block that it adapts, with one free rate, n^c: that of A, which the table has. B's over it
 * is that of the scheme's own example, as in the sweep.
 */
export function tunedBlock(kind: BlockKind, sites: readonly string[], name: string): SchemeDefinition {
  const own = schemeNamed(name)
  const { rates } = withRate(own, "c", own.example)
  return { ...onModel(kind, own), rates, model: { kind, sites: [...sites] } }
}
