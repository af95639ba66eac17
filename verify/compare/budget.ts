import { InputError } from "../../src/inputError.js"
import { scheme } from "../../src/scheme/scheme.js"
import { FIRST_SEED } from "./seeds.js"
import type { Setting } from "./setting.js"
import { fourthPowers, powersOfTwo } from "./widths.js"

/** How a setting is measured. */
export interface Budget {
  readonly widths: readonly number[]
  readonly rank: number
  readonly steps: number
  readonly seeds: number
  /** The first seed; disjoint ranges are independent measurements. */
  readonly firstSeed: number
  /** How many seeds travel to a thread together; default 16. */
  readonly seedsPerTask?: number
}

/** The usual budget, but for its seeds. Widths 2⁸ … 2¹⁴, three steps: the transient and the first step of the limit. */
export const USUAL: Omit<Budget, "seeds" | "firstSeed"> = { widths: powersOfTwo(8, 14), rank: 4, steps: 3 }

/** Each with seeds that the fit's model was not settled on. */
const SEEDS = 32

/**
 * A block at 2¹⁴ takes a minute a seed; terms half a power apart are told apart by the range of widths, not by their
 * number.
 */
const DEEP_WIDTHS = [64, 128, 256, 512, 1024, 2048, 4096]

/** Whether a setting's model is a deep one, of which a run takes long. */
export function isDeep({ definition, values }: Setting): boolean {
  return scheme(definition, values).program.model.isDerivedBeyondBounds === false
}

/** The budget of a coordinate check: a rank that grows is n^ρ itself. */
export function checkBudget({ definition, values }: Setting, given: Partial<Budget> = {}): Budget {
  if (definition.alignments !== undefined)
    throw new InputError({
      field: `${definition.name}.alignments`,
      given: "alignments of one's own",
      allowed: "none: what is drawn is independent, only derivations read them",
      example: "derive init-a --align Aᵀ,Z=3/4",
    })
  const { rank } = scheme(definition, values).sizes
  const grows = !(rank.isConstant && rank.constant.equals(0))
  const growing = grows ? { widths: fourthPowers(4, 11), rank: 1 } : {}
  const deep = isDeep({ definition, values }) ? { widths: DEEP_WIDTHS } : {}
  return { ...USUAL, seeds: SEEDS, firstSeed: FIRST_SEED.check, ...deep, ...growing, ...given }
}
