import { formatAffine, parseAffine } from "../exponent/grammar.js"
import { integer, oneOf } from "../optionText.js"
import type { SchemeDefinition } from "./definition.js"
import { optimiserNamed } from "./optimiserNames.js"

/** Options that change a named scheme, as typed. */
export interface VariantOptions {
  readonly optimiser?: string
  readonly loss?: string
  readonly batch?: string
  readonly clip?: string
}

/**
 * The scheme with another update rule, loss, batch or bound on the gradients where one is given.
 *
 * @throws InputError for an unknown name, or a bound that is not an exponent.
 */
export function variantOf(
  definition: SchemeDefinition,
  { optimiser, loss, batch, clip }: VariantOptions,
): SchemeDefinition {
  const rule = optimiser === undefined ? null : optimiserNamed(optimiser)
  return {
    ...definition,
    ...(rule === null ? {} : { optimiser: rule.name }),
    ...(rule === null || rule.notes.length === 0 ? {} : { caveats: [...(definition.caveats ?? []), ...rule.notes] }),
    ...(loss === undefined ? {} : { loss: oneOf("--loss", loss, ["linear", "squared"]) }),
    ...(batch === undefined ? {} : { batch: integer("--batch", batch) }),
    ...(clip === undefined ? {} : { clip: formatAffine(parseAffine(clip, "--clip")) }),
  }
}
