import { twoSidedQuantile } from "../../fit/normal.js"
import { type Finding, healthy, listed, median, names, productNormOf, shown, sick, unknown } from "../finding.js"
import type { MeasuredRun } from "../measureRun.js"

/** One in a thousand runs without a spike may be called one. */
const LEVEL = 1e-3

/**
 * The first logged loss that lies above the first by more than the noise of neighbours, and by how many of its
 * deviations.
 */
function risen(losses: readonly number[]): { value: number; score: number; limit: number } | null {
  if (losses.length < 5) return null
  const jumps = losses.slice(1).map((loss, i) => loss - losses[i]!)
  // Jumps of independent noise have √2 its deviation; the middle of their sizes is 0.6745 deviations.
  const noise = median(jumps.map(Math.abs)) / (0.6745 * Math.SQRT2)
  const start = losses[0]!
  const limit = Math.SQRT2 * twoSidedQuantile(1 - (2 * LEVEL) / losses.length)
  const score = (value: number) =>
    noise === 0 ? (value > start ? Number.POSITIVE_INFINITY : 0) : (value - start) / noise
  const value = Math.max(...losses.slice(1))
  return { value, score: score(value), limit }
}

/**
 * How ‖BA‖ grows with the sum of rates (or with steps): local exponents between checkpoints, over all modules together.
 */
function growth(measured: MeasuredRun): number[] {
  const { modules, run, spans } = measured
  const total = run.checkpoints.map((_, i) =>
    Math.hypot(...modules.map(({ points }) => productNormOf(points[i]!.spectrum))),
  )
  if (total[0] !== 0) return []
  const sums: number[] = [0]
  for (const [i, { steps, rateSum }] of spans.entries()) {
    if (steps === null) return []
    sums.push(sums[i]! + (rateSum ?? steps[1] - steps[0]))
  }
  return total.slice(2).map((norm, i) => Math.log(norm / total[i + 1]!) / Math.log(sums[i + 2]! / sums[i + 1]!))
}

/** Each factor moves at most linearly in the sum of rates, so the product at most like its square. */
const FASTEST = 2

export const unstable: Finding = {
  id: "unstable",
  title: "Beyond the stability edge",
  measures:
    "entries that are no finite number; the largest logged loss against the first; the exponent at which ‖BA‖ grows with the sum of rates",
  threshold: {
    source: "theory",
    text: "updates of bounded size move each factor at most linearly in the sum of rates, so ‖BA‖ at most like its square: a larger exponent twice in a row is growth that feeds itself; a loss above the first by more than the noise of neighbouring losses allows in one of a thousand runs (normal noise)",
  },
  why: "Beyond the largest stable rate (n^-1/2 for Init[A], n^-1 for Init[B], times constants) the adapter's features grow without bound.",
  settle: "the same run at half and at a third of the rate; losses logged at every step",
  examine: (measured) => {
    const { modules, run } = measured
    const broken = modules.filter(({ points }) => points.some(({ a, b }) => a.broken + b.broken > 0))
    if (broken.length > 0)
      return sick(
        `${broken.length} of ${modules.length} modules hold entries that are no finite number (${listed(broken)}).`,
        broken.length,
        0,
        names(broken),
      )
    const losses = (run.log?.entries ?? []).flatMap(({ loss }) => (loss === null ? [] : [loss]))
    const failed = losses.findIndex((loss) => !Number.isFinite(loss))
    if (failed >= 0)
      return sick(`A logged loss is no finite number (entry ${failed + 1} of ${losses.length}).`, failed, null)
    const rise = risen(losses)
    if (rise !== null && rise.score > rise.limit)
      return sick(
        `A loss of ${shown(rise.value)} after a first of ${shown(losses[0]!)}: ${shown(rise.score)} deviations of the noise above it.`,
        rise.score,
        rise.limit,
      )
    const exponents = growth(measured)
    for (let i = 0; i + 1 < exponents.length; i++)
      if (exponents[i]! > FASTEST && exponents[i + 1]! > FASTEST)
        return sick(
          `‖BA‖ grows like the power ${shown(Math.min(exponents[i]!, exponents[i + 1]!))} of the sum of rates: faster than bounded updates can.`,
          Math.min(exponents[i]!, exponents[i + 1]!),
          FASTEST,
        )
    if (rise === null && exponents.length < 2)
      return unknown(
        "there are fewer than five logged losses, and fewer than four checkpoints from a zero product on; all entries are finite.",
      )
    const last = exponents.at(-1)
    return healthy(
      `All entries are finite${rise === null ? "" : `, no loss lies above the first by more than the noise (${shown(rise.score)} deviations)`}${last === undefined ? "" : `, ‖BA‖ grows like the power ${shown(last)} of the sum of rates at last`}.`,
      rise?.score ?? last ?? null,
      rise?.limit ?? FASTEST,
    )
  },
}
