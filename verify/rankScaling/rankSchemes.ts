import { Fraction } from "fraction.js"
import type { Derivation } from "../../src/derive/derive.js"
import { Affine } from "../../src/exponent/affine.js"
import type { OptimiserName } from "../../src/program/optimiser.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import type { SchemeDefinition } from "../../src/scheme/scheme.js"
import { boundThrough, leastAt } from "../compare/bounds.js"
import type { Budget } from "../compare/budget.js"
import { derivationOf } from "../compare/derivationOf.js"
import type { Setting } from "../compare/setting.js"
import type { Threshold } from "../compare/threshold.js"

/** What is to stay bounded. */
export type Level = "features" | "output"
/** The quantity of each level. */
export const QUANTITY: Readonly<Record<Level, string>> = { features: "zB", output: "f" }

/** What is measured of ranks. */
export interface RankSize {
  readonly ranks: readonly string[]
  readonly updates: readonly OptimiserName[]
  readonly levels: readonly Level[]
  /** For exponents. */
  readonly budget: Budget
  /** The quantities whose exponents are judged; by default all. */
  readonly quantities?: readonly string[]
  /** Widths of a second measurement of what is contradicted. */
  readonly wider: readonly number[]
  /** For thresholds, a sweep per halving. */
  readonly probe: Budget
  readonly halvings: number
}

/** Where thresholds are looked for: everything that is derived lies well inside. */
export const SEARCH = { low: new Fraction(-3, 2), high: new Fraction(1, 2) }

/** The rank of a width where it does not grow; where it does it is n^ρ itself. */
export const FIXED_RANK = 4

const STARTS = [
  { name: "Init[A]", base: { ...schemeNamed("init-a"), rank: "rho" } },
  { name: "Init[B]", base: schemeNamed("init-b-rank") },
] as const

/** As functions of the rank: the fixed one, rsLoRA's and LoRA's own. */
const MULTIPLIERS = [
  { name: "α", exponent: "0" },
  { name: "α/√r", exponent: schemeNamed("rslora").multiplier! },
  { name: "α/r", exponent: schemeNamed("lora-alpha").multiplier! },
] as const

const UPDATES = [
  { optimiser: "sign", name: "sign" },
  { optimiser: "sgd", name: "gradient descent" },
] as const satisfies { optimiser: OptimiserName; name: string }[]

/** One scheme with its multiplier, its rank's exponent ρ still free. */
export interface RankScheme {
  readonly start: string
  readonly update: string
  readonly multiplier: string
  readonly definition: SchemeDefinition
  readonly derivation: Derivation
}

/** Both starts under the updates with each multiplier, derived with ρ and c free. */
export function rankSchemes(updates: readonly OptimiserName[]): RankScheme[] {
  return STARTS.flatMap(({ name: start, base }) =>
    UPDATES.filter(({ optimiser }) => updates.includes(optimiser)).flatMap(({ optimiser, name: update }) =>
      MULTIPLIERS.map(({ name: multiplier, exponent }, i): RankScheme => {
        const definition = { ...base, name: `${base.name}-${i}`, optimiser, multiplier: exponent }
        return { start, update, multiplier, definition, derivation: derivationOf(definition) }
      }),
    ),
  )
}

/** A scheme at one exponent of the rank. */
export interface Ranked {
  readonly scheme: RankScheme
  readonly rho: string
}

/** A measured threshold beside the bounds. */
export interface RankLaw extends Ranked {
  readonly level: Level
  /** For the measured steps and for all t. */
  readonly bound: Fraction
  readonly forAll: Fraction
  readonly threshold: Threshold
}

/** Every scheme at every ρ; at ρ = 0 the multipliers are one. */
export function atRanks(schemes: readonly RankScheme[], ranks: readonly string[]): Ranked[] {
  return schemes.flatMap((of) =>
    ranks.filter((rho) => rho !== "0" || of.multiplier === MULTIPLIERS[0].name).map((rho) => ({ scheme: of, rho })),
  )
}

/** Its setting at a rate n^c. */
export function settingOf({ scheme: { definition }, rho }: Ranked, c: string): Setting {
  return { definition, values: { c, rho } }
}

/**
 * The budget for each ρ: where the rank grows, r = n^ρ. The same object for the same rank, so that sweeps are shared.
 */
export function byRank(budget: Budget): (at: Ranked) => Budget {
  const constant = { ...budget, rank: FIXED_RANK }
  return ({ rho }) => (rho === "0" ? constant : budget)
}

/** The derived bounds at a rank: for the measured steps and for all t. */
export function boundsOf(
  { scheme: { derivation }, rho }: Ranked,
  level: Level,
  last: number,
): { readonly bound: Fraction; readonly forAll: Fraction } {
  const values = new Map([["rho", Affine.constant(rho)]])
  const bound = boundThrough(derivation, { names: [QUANTITY[level]], last, symbol: "c", values })
  const forms = derivation.largestRate[level]
  if (bound === null || forms === null) throw new Error(`${derivation.scheme.definition.name} has no bound`)
  return { bound, forAll: leastAt(forms, values) }
}
