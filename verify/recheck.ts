import { RULES } from "../src/fit/judge.js"
import type { SweepOptions } from "../src/sweep/sweep.js"
import { type Budget, measure, type Setting } from "./measure.js"
import { type Claim, judgeMeasurements } from "./theorySetting.js"

/** How far the seeds of a second measurement lie from those of the first. */
const OTHER_SEEDS = 250_000

/** Widths four times as wide, as far as runs go. */
export function widened(widths: readonly number[]): number[] {
  return widths.map((width) => 4 * width).filter((width) => width <= WIDEST)
}

/** Beyond this a run takes gigabytes. */
const WIDEST = 2 ** 20

/**
 * A setting's claims, those that are contradicted measured once more, at wider widths and on other seeds.
 *
 * The rule, fixed before any contradiction was seen: finite widths are the cause if there the verdict is "agrees" and the
 * plain slope lies nearer the derived exponent by what counts as a difference; else no cause is found, and what was seen is said.
 *
 * @param widths those of the second measurement.
 */
export async function rechecked(
  setting: Setting,
  claims: readonly Claim[],
  budget: Budget,
  widths: readonly number[],
  { pool, store, signal }: SweepOptions,
): Promise<Claim[]> {
  const isOpen = ({ measured, cause }: Claim) => measured.verdict === "contradicts" && cause === null
  if (!claims.some(isOpen)) return [...claims]
  const wider = { ...budget, widths, firstSeed: budget.firstSeed + OTHER_SEEDS }
  const [measurements] = await measure([setting], wider, { pool, store, ...(signal && { signal }) })
  const again = judgeMeasurements([setting], wider, [measurements!])
  return claims.map((claim) => {
    const second = again.find(({ quantity, step }) => quantity === claim.quantity && step === claim.step)
    return isOpen(claim) && second !== undefined ? confirmed(claim, second) : claim
  })
}

function confirmed(first: Claim, second: Claim): Claim {
  const where = `at n = ${second.widths[0]} … ${second.widths.at(-1)} on other seeds`
  const [before, after] = [first, second].map(({ derived, measured: { plain } }) =>
    plain === null || derived.kind === "zero" ? Number.NaN : plain.exponent - derived.exponent.valueOf(),
  )
  const moved = `${where} the plain slope is off by ${after!.toFixed(3)} instead of ${before!.toFixed(3)} and the verdict is "${second.measured.verdict}"`
  const isCrossover = second.measured.verdict === "agrees" && Math.abs(before!) - Math.abs(after!) > RULES.finest
  return isCrossover
    ? { ...first, cause: `finite widths: ${moved}` }
    : { ...first, measured: { ...first.measured, why: `${first.measured.why}; ${moved}` } }
}
