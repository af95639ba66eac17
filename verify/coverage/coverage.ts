/**
 * Claim: near a crossover (leading terms less than 1/2 apart) the 95 % interval of the fit with the derived other terms
 * contains the derived exponent in at least 95 % of cases; the interval of the plain slope does not.
 */
import { termsOf } from "../../src/derive/terms.js"
import { judge } from "../../src/fit/judge.js"
import { scheme } from "../../src/scheme/scheme.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import { type Budget, USUAL } from "../compare/budget.js"
import { claimName, expected } from "../compare/claim.js"
import { measure } from "../compare/measure.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { type Setting, settingAt } from "../compare/setting.js"

const at = (name: string, values: Record<string, string>) => settingAt(name, values, { optimiser: "sign" })

/** Points of the two schemes, LoRA+ and Init[AB] whose maxima have two terms close together. */
export const NEAR_CROSSOVERS: readonly Setting[] = [
  ...["-5/8", "-3/4", "-7/8"].map((c) => at("init-a", { c })),
  ...["-1/8", "-1/4", "-3/8"].map((c) => at("init-b", { c })),
  at("lora-plus", { cA: "-3/4", cB: "-1/4" }),
  at("lora-plus", { cA: "-5/8", cB: "-3/8" }),
  at("init-ab", { a0: "1/4", b0: "-1/4", cA: "-1/2", cB: "-1/2" }),
  at("init-ab", { a0: "0", b0: "-1/2", cA: "-3/4", cB: "-1/4" }),
]

/** The model was settled before its seeds were drawn. */
export const COVERAGE_BUDGET: Budget = { ...USUAL, seeds: 32, firstSeed: FIRST_SEED.nearCrossovers }

/** One case: a quantity whose two leading terms are less than 1/2 apart. */
export interface CoverageCase {
  readonly id: string
  readonly derived: string
  readonly next: string
  readonly interval: readonly [number, number]
  readonly covered: boolean
  readonly plainInterval: readonly [number, number]
  readonly plainCovered: boolean
}

/** The intervals of all such cases. */
export async function coverage(budget: Budget, options: SweepOptions): Promise<CoverageCase[]> {
  const measurements = await measure(NEAR_CROSSOVERS, budget, options)
  return NEAR_CROSSOVERS.flatMap((setting, index) => {
    const ready = scheme(setting.definition, setting.values)
    const terms = termsOf(ready)
    const steps = Array.from({ length: budget.steps }, (_, i) => i + 1)
    return steps.flatMap((step) =>
      Object.keys(ready.program.quantities).flatMap((quantity): CoverageCase[] => {
        const derived = terms(quantity, step)
        if (derived.kind === "zero") return []
        const [next] = derived.others
        if (next === undefined || derived.exponent.sub(next).compare("1/2") >= 0) return []
        const { corrected, plain } = judge(expected(derived), measurements[index]!.samples(quantity, step))
        if (corrected === null || plain === null) return []
        const e = derived.exponent.valueOf()
        const contains = ({ low, high }: { low: number; high: number }) => low <= e && e <= high
        return [
          {
            id: claimName({ setting, quantity, step }),
            derived: derived.exponent.toFraction(),
            next: next.toFraction(),
            interval: [corrected.interval.low, corrected.interval.high],
            covered: contains(corrected.interval),
            plainInterval: [plain.interval.low, plain.interval.high],
            plainCovered: contains(plain.interval),
          },
        ]
      }),
    )
  })
}
