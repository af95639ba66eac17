import type { Terms } from "../../src/derive/terms.js"
import { type Expected, judge, type Verdict } from "../../src/fit/judge.js"
import type { Scheme } from "../../src/scheme/scheme.js"
import type { Budget } from "./budget.js"
import { derivedSetting } from "./derivedSetting.js"
import { logarithmicCause } from "./logarithm.js"
import type { Measurements } from "./measurements.js"
import { saturationCause } from "./saturation.js"
import { type Setting, settingName } from "./setting.js"

/** One verdict: a quantity of a scheme at a step. */
export interface MeasuredClaim {
  readonly setting: Setting
  readonly level: "features" | "output"
  readonly quantity: string
  readonly step: number
  readonly derived: Terms
  readonly measured: Verdict
  /** For a contradiction, the assumption that was seen to fail; null if none was. */
  readonly cause: string | null
  readonly widths: readonly number[]
  /** The most at a width. */
  readonly seeds: number
  /** The root mean square over seeds at each width. */
  readonly values: readonly number[]
}

/** The name of a claim: its setting, quantity and step. */
export function claimName({ setting, quantity, step }: Pick<MeasuredClaim, "setting" | "quantity" | "step">): string {
  return `${settingName(setting)}/${quantity}@${step}`
}

/** Whether a claim is contradicted by more than a measured failure of what it assumes. */
export function isRefuted({ measured, cause }: MeasuredClaim): boolean {
  return measured.verdict === "contradicts" && cause === null
}

/** The claims of one setting, as it was given to `judgeMeasurements`. */
export function claimsOf(setting: Setting, claims: readonly MeasuredClaim[]): MeasuredClaim[] {
  return claims.filter((claim) => claim.setting === setting)
}

/** What is judged of measurements. */
export interface JudgedQuantities {
  /** How many families of verdicts are given beside each other; default 1. */
  readonly families?: number
  /** The names of the quantities; by default all that the program names. */
  readonly quantitiesOf?: (scheme: Scheme) => readonly string[]
  /** By default every step. */
  readonly steps?: readonly number[]
}

/** The verdicts on measurements, corrected for their number and that of other families tested beside them. */
export function judgeMeasurements(
  settings: readonly Setting[],
  { widths, steps: last, seeds }: Budget,
  measurements: readonly Measurements[],
  { families = 1, quantitiesOf = ({ program }) => Object.keys(program.quantities), steps }: JudgedQuantities = {},
): MeasuredClaim[] {
  const derivations = settings.map(derivedSetting)
  const names = derivations.map(({ scheme }) => quantitiesOf(scheme))
  const judged = steps ?? Array.from({ length: last }, (_, i) => i + 1)
  const tests = families * judged.length * names.reduce((sum, { length }) => sum + length, 0)
  return derivations.flatMap((derivation, index) =>
    judged.flatMap((step) =>
      names[index]!.map((quantity): MeasuredClaim => {
        const { scheme: own, terms } = derivation
        const derived = terms(quantity, step)
        const samples = measurements[index]!.samples(quantity, step)
        const asked = expected(derived, isAlignment(quantity, own))
        const measured = judge(asked, samples, tests)
        return {
          setting: settings[index]!,
          level: quantity === "f" ? "output" : "features",
          quantity,
          step,
          derived,
          measured,
          cause:
            measured.verdict === "contradicts"
              ? (failedAssumption(measurements[index]!.flipped(step)) ??
                logarithmicCause(derived, asked, measured, samples) ??
                saturationCause(derivation, quantity, step, measured, measurements[index]!, widths))
              : null,
          widths,
          seeds,
          values: samples.map(({ meanSquares }) =>
            Math.sqrt(meanSquares.reduce((x, y) => x + y, 0) / meanSquares.length),
          ),
        }
      }),
    ),
  )
}

/** A residual that changes its sign in fewer runs than this leaves exponents alone. */
const FEW_FLIPS = 0.05

/** The max rule needs leading terms that do not cancel: where the residual's sign flips, two steps undo each other. */
function failedAssumption(flipped: number): string | null {
  return flipped < FEW_FLIPS ? null : `sign flip of the residual in ${Math.round(100 * flipped)} % of samples`
}

/** The names of a scheme's quantities and of the alignments behind them. */
export function withAlignments({ program }: Scheme): string[] {
  return [...Object.keys(program.quantities), ...Object.keys(program.alignments)]
}

function isAlignment(quantity: string, { program }: Scheme): boolean {
  return Object.hasOwn(program.alignments, quantity)
}

/**
 * Derived terms as the numbers that a fit needs: here exact exponents meet data.
 *
 * @param isAtMostOne whether they are of a quantity that is at most 1 at every width: an alignment (Cauchy and Schwarz).
 */
export function expected(terms: Terms, isAtMostOne = false): Expected {
  if (terms.kind === "zero") return terms
  const { exponent, others, orthogonal, corrections, relation } = terms
  return {
    kind: "power",
    exponent: exponent.valueOf(),
    others: others.map(Number),
    corrections: corrections.map(Number),
    coherence: orthogonal ? "none" : "full or none",
    ...(isAtMostOne && { ceiling: 0 }),
    relation,
  }
}
