import { RULES } from "../../src/fit/judge.js"
import type { Interval } from "../../src/fit/slope.js"
import type { MeasuredClaim } from "./claim.js"

/** The half-width of an interval falls as one over the root of the seeds: how many bring it to the target. */
export function seedsToDecide({ low, high }: Pick<Interval, "low" | "high">, target: number, seeds: number): number {
  return Math.ceil(seeds * ((high - low) / 2 / target) ** 2)
}

/** The 95 % interval that a claim's verdict shows; null where it is zero or not finite. */
export function intervalOf({ measured: { plain, corrected } }: MeasuredClaim): Interval | null {
  return (corrected ?? plain)?.interval ?? null
}

/** What would decide inconclusive claims, from their intervals. */
export function decidingBudget(claims: readonly MeasuredClaim[], target: number = RULES.widestHalfWidth): string {
  const [finite, endless, others]: [number[], number[], string[]] = [[], [], []]
  for (const claim of claims) {
    const interval = intervalOf(claim)
    if (interval === null) others.push(claim.measured.why)
    else if (Number.isFinite(interval.high)) finite.push(seedsToDecide(interval, target, claim.seeds))
    else endless.push(Math.max(...claim.widths))
  }
  const parts = []
  if (finite.length > 0)
    parts.push(`${finite.length} too wide: ${Math.max(...finite)} seeds bring the intervals to ±${target}`)
  if (endless.length > 0)
    parts.push(
      `${endless.length} with an interval without an upper end, since the derived other terms fit as well up to n = ${Math.max(...endless)}: wider widths decide`,
    )
  return [...parts, ...new Set(others)].join("; ")
}
