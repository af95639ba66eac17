import { RULES, type Verdict } from "../../src/fit/judge.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import type { Budget } from "./budget.js"
import { type JudgedQuantities, judgeMeasurements, type MeasuredClaim } from "./claim.js"
import { measure } from "./measure.js"
import type { Setting } from "./setting.js"

/** How far the seeds of a second measurement lie from those of the first. */
const OTHER_SEEDS = 250_000

/**
 * Widths four and sixteen times as wide, as far as runs go; a window needs widths enough for a fit with other terms.
 *
 * @param widest the widest that a run is made at.
 */
export function widened(widths: readonly number[], widest = WIDEST): number[][] {
  return [4, 16]
    .map((factor) => widths.map((width) => factor * width).filter((width) => width <= widest))
    .filter((wider) => wider.length >= FEWEST)
}

/** Beyond this a run takes gigabytes. */
const WIDEST = 2 ** 20
const FEWEST = 4

/**
 * A setting's claims, those that are contradicted measured again, at wider widths and on other seeds.
 *
 * The rule: finite widths are the cause if at wider ones the verdict is "agrees" and the plain slope, or the exponent
 * that was fitted with the other terms, lies nearer the derived one by what counts as a difference; or if the plain
 * slope's miss falls from window to window, in all to less than half. Else no cause is found, and what was seen is said.
 *
 * The first window and its part of the rule were fixed before any contradiction was seen; the second window and its
 * part were added for networks of six layers, whose corrections n^(−1/2) have factors of the number of pairs of layers,
 * and either sign; the fitted exponent for scaled AdamW in turn, whose size rises and then falls over the first widths,
 * so that its plain slope there is small by chance.
 *
 * @param judged as the claims were judged.
 * @param windows the widths of the further measurements, in turn, as long as a contradiction is left.
 */
export async function rechecked(
  setting: Setting,
  claims: readonly MeasuredClaim[],
  budget: Budget,
  windows: readonly (readonly number[])[],
  { pool, store, signal }: SweepOptions,
  judged: JudgedQuantities = {},
): Promise<MeasuredClaim[]> {
  const isContradicted = ({ measured, cause }: MeasuredClaim) => measured.verdict === "contradicts" && cause === null
  const looks = claims.map((claim) => [claim])
  const isOpen = (seen: readonly MeasuredClaim[]) => seen.every(isContradicted)
  for (const [i, widths] of windows.entries()) {
    if (!looks.some(isOpen)) break
    const wider = { ...budget, widths, firstSeed: budget.firstSeed + (i + 1) * OTHER_SEEDS }
    const [measurements] = await measure([setting], wider, { pool, store, ...(signal && { signal }) })
    const again = judgeMeasurements([setting], wider, [measurements!], judged)
    for (const seen of looks.filter(isOpen))
      seen.push(...again.filter(({ quantity, step }) => quantity === seen[0]!.quantity && step === seen[0]!.step))
  }
  return looks.map((seen) => (seen.length > 1 ? explained(seen) : seen[0]!))
}

/** A contradicted claim and its further measurements, the widest last, as one. */
function explained(seen: readonly MeasuredClaim[]): MeasuredClaim {
  const [first, last] = [seen[0]!, seen.at(-1)!]
  const missesOf = (fitOf: (measured: Verdict) => { readonly exponent: number } | null) =>
    seen.map(({ derived, measured }) => {
      const found = fitOf(measured)
      return found === null || derived.kind === "zero" ? Number.NaN : found.exponent - derived.exponent.valueOf()
    })
  const [misses, fitted] = [missesOf(({ plain }) => plain), missesOf(({ corrected }) => corrected)]
  const sizes = misses.map(Math.abs)
  const [before, after] = [sizes[0]!, sizes.at(-1)!]
  const isNearer = (all: readonly number[]) => Math.abs(all[0]!) - Math.abs(all.at(-1)!) > RULES.finest
  const told = seen.slice(1).map(({ widths, measured }, i) => {
    const where = `at n = ${widths[0]} … ${widths.at(-1)} on other seeds`
    const off = (all: readonly number[]) => `off by ${all[i + 1]!.toFixed(3)} instead of ${all[i]!.toFixed(3)}`
    const fit = Number.isNaN(fitted[i + 1]!) || Number.isNaN(fitted[i]!) ? "" : `, the fitted exponent ${off(fitted)},`
    return `${where} the plain slope is ${off(misses)}${fit} and the verdict is "${measured.verdict}"`
  })
  const isCrossover = last.measured.verdict === "agrees" && (isNearer(misses) || isNearer(fitted))
  const falls = sizes.slice(1).every((size, i) => sizes[i]! - size > RULES.finest)
  const isFalling = sizes.length > 2 && falls && after < before / 2
  return isCrossover || isFalling
    ? { ...first, cause: `finite widths: ${told.join("; ")}` }
    : { ...first, measured: { ...first.measured, why: [first.measured.why, ...told].join("; ") } }
}
