/**
 * Claim: in the theory's setting (one sample, linear loss) every quantity's size follows its derived exponent, at every
 * step of the transient and beyond.
 */
import { type Terms, termsOf } from "../src/derive/terms.js"
import { type Expected, judge, type Verdict } from "../src/fit/judge.js"
import { schemeNamed } from "../src/scheme/catalogue.js"
import { type Scheme, scheme } from "../src/scheme/scheme.js"
import type { SweepOptions } from "../src/sweep/sweep.js"
import { type Budget, type Measurements, measure, type Setting } from "./measure.js"
import { powersOfTwo } from "./widths.js"

/** One verdict: a quantity of a scheme at a step. */
export interface Claim {
  readonly id: string
  readonly level: "features" | "output"
  readonly scheme: string
  readonly at: Readonly<Record<string, string>>
  readonly optimiser: string
  readonly quantity: string
  readonly step: number
  readonly derived: Terms
  readonly measured: Verdict
  /** For a contradiction, the assumption that was seen to fail; null if none was. */
  readonly cause: string | null
  readonly widths: readonly number[]
  readonly seeds: number
  /** The root mean square over seeds at each width. */
  readonly values: readonly number[]
}

/** Widths 2⁸ … 2¹⁴, three steps: the transient and the first step of the limit. */
export const BUDGET: Budget = {
  widths: powersOfTwo(8, 14),
  rank: 4,
  steps: 3,
  seeds: 64,
  firstSeed: 0,
}

const at = (name: string, values: Record<string, string>, optimiser: "sign" | "adam" = "sign"): Setting => ({
  definition: { ...schemeNamed(name), optimiser },
  values,
})

/** Both of the paper's schemes on both sides of their bounds, LoRA+ on and off its ray, Init[AB]; both update rules. */
export const SETTINGS: readonly Setting[] = [
  ...["-1/4", "-1/2", "-3/4", "-1"].map((c) => at("init-a", { c })),
  ...["-1/4", "-1/2", "-3/4", "-1"].map((c) => at("init-b", { c })),
  at("lora-plus", { cA: "-1", cB: "0" }),
  at("lora-plus", { cA: "-3/4", cB: "-1/4" }),
  at("init-ab", { a0: "0", b0: "-1/2", cA: "-1/2", cB: "-1/2" }),
  at("init-a", { c: "-1/2" }, "adam"),
  at("init-b", { c: "-1" }, "adam"),
  at("lora-plus", { cA: "-1", cB: "0" }, "adam"),
]

/** The name of a setting, as typed after `verify`. */
export function settingName({ definition, values }: Setting): string {
  const point = Object.entries(values).map(([symbol, value]) => `${symbol}=${value}`)
  return [definition.name, ...point, definition.optimiser ?? "adam"].join("/")
}

/** The claims of one setting. */
export function claimsOf(setting: Setting, claims: readonly Claim[]): Claim[] {
  return claims.filter(({ id }) => id.startsWith(`${settingName(setting)}/`))
}

/** The settings measured, and a verdict on every quantity at every step. */
export async function verifyTheorySetting(
  settings: readonly Setting[],
  budget: Budget,
  options: SweepOptions,
): Promise<Claim[]> {
  return judgeMeasurements(settings, budget, await measure(settings, budget, options))
}

/** What is judged of measurements. */
export interface Judged {
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
  { families = 1, quantitiesOf = ({ program }) => Object.keys(program.quantities), steps }: Judged = {},
): Claim[] {
  const schemes = settings.map(({ definition, values }) => scheme(definition, values))
  const names = schemes.map(quantitiesOf)
  const judged = steps ?? Array.from({ length: last }, (_, i) => i + 1)
  const tests = families * judged.length * names.reduce((sum, { length }) => sum + length, 0)
  return settings.flatMap((setting, index) => {
    const terms = termsOf(schemes[index]!)
    return judged.flatMap((step) =>
      names[index]!.map((quantity): Claim => {
        const derived = terms(quantity, step)
        const samples = measurements[index]!.samples(quantity, step)
        const measured = judge(expected(derived), samples, tests)
        return {
          id: `${settingName(setting)}/${quantity}@${step}`,
          level: quantity === "f" ? "output" : "features",
          scheme: setting.definition.name,
          at: setting.values,
          optimiser: setting.definition.optimiser ?? "adam",
          quantity,
          step,
          derived,
          measured,
          cause: measured.verdict === "contradicts" ? failedAssumption(measurements[index]!.flipped(step)) : null,
          widths,
          seeds,
          values: samples.map(({ meanSquares }) => Math.sqrt(meanSquares.reduce((x, y) => x + y, 0) / seeds)),
        }
      }),
    )
  })
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

/** Derived terms as the numbers that a fit needs: here exact exponents meet data. */
export function expected(terms: Terms): Expected {
  if (terms.kind === "zero") return terms
  const { exponent, others, orthogonal, corrections, relation } = terms
  return {
    kind: "power",
    exponent: exponent.valueOf(),
    others: others.map(Number),
    corrections: corrections.map(Number),
    coherence: orthogonal ? "none" : "full or none",
    relation,
  }
}
