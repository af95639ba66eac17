import type { Affine } from "../exponent/affine.js"
import { Condition } from "../exponent/condition.js"
import { Exponent } from "../exponent/exponent.js"
import { MaxPlus } from "../exponent/maxPlus.js"
import { solveFor } from "../exponent/solve.js"
import type { Scheme } from "../scheme/scheme.js"
import { atStep, type Recursion, recursion } from "./recursion.js"

/** The readings on which the truth of a claim depends; part of every statement. */
export interface Switches {
  /** Whether "stable" in "efficient" includes Z_A = O(1), as in [LoRA+], or not, as in [Init]. */
  readonly stableIncludesZA: boolean
  /** The step from which feature learning and efficiency are asked; by default the end of the transient. */
  readonly from: number
}

/** What a scheme's program says in exponents: quantities for all t, and the statements that follow. */
export interface Derivation extends Recursion {
  readonly scheme: Scheme
  readonly switches: Switches
  /** Z_B = O(1) for all t. */
  readonly stable: Condition
  /** Z_A = O(1) too. */
  readonly internallyStable: Condition
  /** ΔZ_B = Θ(1) for all t ≥ from. */
  readonly featureLearning: Condition
  /** Stable, with δ¹ = Θ(1) and δ² = Θ(1) for all t ≥ from. */
  readonly efficient: Condition
  /** The largest stable exponent of the single rate; null with two free rates, none free, or no single bound. */
  readonly largestRate: { readonly features: Affine | null; readonly output: Affine | null }
}

/**
 * The scaling laws of a scheme, for all t and all values of its free symbols ([Init], definitions and Theorems 1, 2).
 *
 * @param switches how to read the definitions; see {@link Switches}.
 * @throws Underivable if the program has an operation without a rule.
 */
export function derive(scheme: Scheme, switches: Partial<Switches> = {}): Derivation {
  const { quantities, assumptions } = recursion(scheme)
  const { zA, zB, delta1, delta2, delta3 } = quantities as Record<string, (typeof quantities)[string]>
  if (!zA || !zB || !delta1 || !delta2 || !delta3) throw new Error("the layer names no zA, zB and deltas")
  const from = switches.from ?? Math.max(delta1.from, delta2.from, delta3.from)
  const stableIncludesZA = switches.stableIncludesZA ?? false
  const last = Math.max(from, ...Object.values(quantities).map(({ steps }) => steps.length))
  const steps = Array.from({ length: last }, (_, i) => i + 1)
  const late = steps.filter((t) => t >= from)
  const all = (times: readonly number[], at: (t: number) => Condition) => Condition.ALWAYS.and(...times.map(at))

  const stable = all(steps, (t) => Condition.atMost(atStep(zB, t).value))
  const internallyStable = stable.and(all(steps, (t) => Condition.atMost(atStep(zA, t).value)))
  const change = (t: number) => Exponent.max(atStep(delta1, t), atStep(delta2, t), atStep(delta3, t))
  const featureLearning = all(late, (t) => Condition.equal(change(t).value))
  const bothMove = all(late, (t) =>
    Condition.equal(atStep(delta1, t).value).and(Condition.equal(atStep(delta2, t).value)),
  )
  const efficient = (stableIncludesZA ? internallyStable : stable).and(bothMove)
  const sizes = MaxPlus.max(...steps.map((t) => atStep(zB, t).value))
  return {
    scheme,
    quantities,
    assumptions,
    switches: { stableIncludesZA, from },
    stable,
    internallyStable,
    featureLearning,
    efficient,
    largestRate: { features: largestRate(scheme, sizes), output: null },
  }
}

/** The largest value of the scheme's one free rate symbol at which all forms are ≤ 0, if one form decides it. */
function largestRate({ rates }: Scheme, sizes: MaxPlus): Affine | null {
  const symbols = [...new Set([...rates.A.symbols, ...rates.B.symbols])]
  const [symbol] = symbols
  if (symbol === undefined || symbols.length > 1) return null
  const bounds = sizes.forms
    .filter((form) => form.coefficient(symbol).compare(0) > 0)
    .map((form) => solveFor(form, symbol))
  const tightest = MaxPlus.of(...bounds.map((bound) => bound.times(-1)))
  return tightest.forms.length === 1 ? tightest.forms[0]!.times(-1) : null
}
