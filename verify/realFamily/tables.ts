/** What is read of a family's tables against the width. */
import {
  type GridPoint,
  type Located,
  optimalRate,
  type RateFit,
  rateAgainstWidth,
  thresholdRate,
} from "../../src/fit/optimum.js"
import type { WidthSample } from "../../src/fit/slope.js"
import { groupsOf } from "../../src/table/groups.js"
import type { Recorded } from "../compare/measuredCheck.js"
import { quantityOf, type TuningRun, type TuningSize, type TuningTables } from "../tunings.js"

/** The size that Z_B may have at most where a rate counts as stable at feature level. */
export const LIMIT = 1
/** How far above a curve's least perplexity, in parts of it, training counts as harmed. */
export const EDGE_SHARE = 0.1

/** What is read of a scheme against the width, each seed by itself. */
export interface SchemeRates {
  /** The rate of least perplexity. */
  readonly optimum: RateFit
  /** The largest rate up to which the perplexity is less than 10 % above its least. */
  readonly edge: RateFit
  /** The largest rate with |Z_B| ≤ 1 at all recorded steps and layers. */
  readonly features: RateFit
}

/** Optimum, edge and feature-level threshold of a scheme against the width. */
export function ratesOf({ runs, sizes }: TuningTables, scheme: string): SchemeRates {
  const own = runs.filter((run) => run.scheme === scheme)
  const measured = sizes.filter((size) => size.scheme === scheme && size.quantity === "zB" && size.step > 0)
  const curve = (of: readonly TuningRun[]) => of.map(({ rate, metric }) => ({ rate, value: metric }))
  return {
    optimum: against(own, (of) => optimalRate(curve(of))),
    edge: against(own, (of) => edgeOf(curve(of))),
    features: against(measured, (of) => thresholdRate(largestAt(of), LIMIT)),
  }
}

function against<T extends { readonly width: number; readonly seed: number }>(
  all: readonly T[],
  locate: (of: readonly T[]) => Located,
): RateFit {
  const curves = groupsOf(all, ({ width, seed }) => JSON.stringify([width, seed]))
  return rateAgainstWidth(
    [...curves.values()].map((own) => ({ width: own[0]!.width, seed: own[0]!.seed, ...locate(own) })),
  )
}

/** Rates below the optimum's have learnt too little, and are not looked at. */
function edgeOf(curve: readonly GridPoint[]): Located {
  const least = curve.reduce((best, point) => (point.value < best.value ? point : best))
  return thresholdRate(
    curve.filter(({ rate }) => rate >= least.rate),
    (1 + EDGE_SHARE) * least.value,
  )
}

/** At each rate the largest size over steps and layers. */
function largestAt(sizes: readonly TuningSize[]): GridPoint[] {
  return [...groupsOf(sizes, ({ rate }) => String(rate)).values()].map((own) => ({
    rate: own[0]!.rate,
    value: Math.max(...own.map(({ value }) => (Number.isFinite(value) ? value : Number.POSITIVE_INFINITY))),
  }))
}

/** The rate that was measured at all widths and lies in the middle of those; null for none. */
export function commonRate(sizes: readonly TuningSize[], scheme: string): number | null {
  const own = sizes.filter((size) => size.scheme === scheme)
  const widths = new Set(own.map(({ width }) => width)).size
  const rates = [...groupsOf(own, ({ rate }) => String(rate)).values()]
    .filter((at) => new Set(at.map(({ width }) => width)).size === widths)
    .map((at) => at[0]!.rate)
    .sort((x, y) => x - y)
  return rates[Math.floor((rates.length - 1) / 2)] ?? null
}

/** What was recorded at a rate: of each kind of layer and quantity, at each step, the mean square over layers and seeds. */
export function recordedAt(sizes: readonly TuningSize[], scheme: string, rate: number): Recorded[] {
  const own = sizes.filter((size) => size.scheme === scheme && size.rate === rate && size.step > 0)
  const kinds = groupsOf(own, ({ kind, quantity, step }) => JSON.stringify([kind, quantity, step]))
  return [...kinds.values()].flatMap((here) => {
    const [{ kind, quantity, step }] = here as [TuningSize, ...TuningSize[]]
    const name = quantityOf(kind, quantity)
    if (name === null) return []
    const samples = [...groupsOf(here, ({ width }) => String(width)).values()]
      .map((at): WidthSample => {
        // Layers of one kind are one size: their mean square, a value each seed.
        const bySeed = [...groupsOf(at, ({ seed }) => String(seed)).values()]
        const squares = bySeed.map((of) => of.reduce((sum, { value }) => sum + value ** 2, 0) / of.length)
        return { width: at[0]!.width, meanSquares: squares }
      })
      .sort((x, y) => x.width - y.width)
    return [{ module: `${quantity} of ${kind}`, step, quantity: name, samples }]
  })
}
