import { InputError } from "../../src/inputError.js"
import { derivedSetting } from "./derivedSetting.js"
import { FIRST_SEED } from "./seeds.js"
import type { Setting } from "./setting.js"
import { fourthPowers, powersOfTwo } from "./widths.js"

/** How a setting is measured. */
export interface Budget {
  readonly widths: readonly number[]
  readonly rank: number
  readonly steps: number
  readonly seeds: number
  /** Beyond this width the number of seeds falls as the root of the width, since runs take long; by default nowhere. */
  readonly fewerSeedsBeyond?: number
  /** The first seed; disjoint ranges are independent measurements. */
  readonly firstSeed: number
  /** How many seeds travel to a thread together; default 16. */
  readonly seedsPerTask?: number
}

/** The usual budget, but for its seeds. Widths 2⁸ … 2¹⁴, three steps: the transient and the first step of the limit. */
export const USUAL: Omit<Budget, "seeds" | "firstSeed"> = { widths: powersOfTwo(8, 14), rank: 4, steps: 3 }

/** Each with seeds that the fit's model was not settled on. */
const SEEDS = 32

/** How many seeds a width has. */
export function seedsAt({ seeds, fewerSeedsBeyond = Number.POSITIVE_INFINITY }: Budget, width: number): number {
  return Math.max(2, Math.round(seeds * Math.min(1, Math.sqrt(fewerSeedsBeyond / width))))
}

/**
 * Terms and their corrections are told apart by the range of widths, and by values known to a few percent at either end
 * of it: where the closest lie half a power apart, widths to 2¹² do, where they lie closer, it takes those to 2¹⁶: then
 * n^(1/4) grows by a factor of 5.7.
 */
const DEEP: Partial<Budget> = { widths: powersOfTwo(6, 12), seeds: 192, fewerSeedsBeyond: 128, seedsPerTask: 4 }
const DEEP_AND_CLOSE: Partial<Budget> = { ...DEEP, widths: powersOfTwo(6, 16), seeds: 768 }

/** Heads share a width equally. */
function evenFourthPowers(isOneOfMany: boolean): number[] {
  return (isOneOfMany ? [4, 6, 8] : [4, 6, 8, 10]).map((root) => root ** 4)
}

/** What a deep model has where it is one of many schemes. */
const DEEP_AMONG_MANY: Partial<Budget> = { widths: powersOfTwo(6, 9), seeds: 8, steps: 2 }

function deepBudget(setting: Setting, given: Partial<Budget>, isOneOfMany: boolean): Partial<Budget> {
  if (isOneOfMany) return DEEP_AMONG_MANY
  // What is given needs no derivation.
  if (given.widths !== undefined && given.seeds !== undefined) return DEEP
  return hasCloseTerms(setting, given.steps ?? USUAL.steps) ? DEEP_AND_CLOSE : DEEP
}

/** Whether two derived terms of some quantity, or one and its correction, lie less than half a power apart. */
function hasCloseTerms(setting: Setting, steps: number): boolean {
  const { scheme, terms } = derivedSetting(setting)
  return Object.keys(scheme.program.quantities).some((quantity) =>
    Array.from({ length: steps }, (_, i) => terms(quantity, i + 1)).some((derived) => {
      if (derived.kind === "zero") return false
      const { exponent, others, corrections } = derived
      const gaps = [...others.slice(0, 1).map((other) => exponent.sub(other)), ...corrections.slice(0, 1)]
      return gaps.some((gap) => gap.compare("1/2") < 0)
    }),
  )
}

/** Whether a setting's model is a deep one, of which a run takes long. */
export function isDeep(setting: Setting): boolean {
  return derivedSetting(setting).scheme.program.model.isDerivedBeyondBounds === false
}

/** Whether a setting's rank grows with the width. */
export function growsRank(setting: Setting): boolean {
  const { rank } = derivedSetting(setting).scheme.sizes
  return !(rank.isConstant && rank.constant.equals(0))
}

/**
 * The budget of a coordinate check: a rank that grows is n^ρ itself.
 *
 * @param isOneOfMany whether it is one of many schemes that are checked together.
 */
export function checkBudget(setting: Setting, given: Partial<Budget> = {}, isOneOfMany = false): Budget {
  const { definition } = setting
  if (definition.alignments !== undefined)
    throw new InputError({
      field: `${definition.name}.alignments`,
      given: "alignments of one's own",
      allowed: "none: what is drawn is independent, only derivations read them",
      example: "derive init-a --align Aᵀ,Z=3/4",
    })
  const isOfDeep = isDeep(setting)
  const growing = growsRank(setting)
    ? { widths: isOfDeep ? evenFourthPowers(isOneOfMany) : fourthPowers(4, 11), rank: 1 }
    : {}
  const deep = isOfDeep ? deepBudget(setting, given, isOneOfMany) : {}
  // Seeds that are asked for are those of every width.
  const asked = given.seeds === undefined ? {} : { fewerSeedsBeyond: Number.POSITIVE_INFINITY }
  return { ...USUAL, seeds: SEEDS, firstSeed: FIRST_SEED.check, ...deep, ...growing, ...asked, ...given }
}
