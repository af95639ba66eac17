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

/** Rates first · (n / narrowest)^exponent, a rate at each width. */
export interface RateLaw {
  readonly exponent: number
  readonly narrowest: number
  /** The rate at the narrowest width. */
  readonly first: number
}

/** The rate of a law at a width. */
export function rateAt({ exponent, narrowest, first }: RateLaw, width: number): number {
  return first * (width / narrowest) ** exponent
}

/**
 * The law of an exponent through the rates of least perplexity: their geometric mean once the law is taken off, or the
 * nearest to it at which every width was measured; null where there is none.
 */
export function lawThroughOptimum(
  sizes: readonly TuningSize[],
  scheme: string,
  optimum: RateFit,
  exponent: number,
): RateLaw | null {
  const own = sizes.filter((size) => size.scheme === scheme)
  const widths = [...groupsOf(own, ({ width }) => String(width)).values()]
  if (widths.length === 0) return null
  const narrowest = Math.min(...own.map(({ width }) => width))
  const taken = (width: number, rate: number) => Math.log(rate) - exponent * Math.log(width / narrowest)
  const ends = widths.map((at) => {
    const rates = at.map(({ width, rate }) => taken(width, rate))
    return { low: Math.min(...rates), high: Math.max(...rates) }
  })
  const low = Math.max(...ends.map((end) => end.low))
  const high = Math.min(...ends.map((end) => end.high))
  if (low > high) return null
  const middle = optimum.widths.reduce((sum, { width, rate }) => sum + taken(width, rate), 0) / optimum.widths.length
  return { exponent, narrowest, first: Math.exp(Math.min(high, Math.max(low, middle))) }
}

/** A scheme's sizes at the rates of a law, between two measured rates by a straight line in the logarithms. */
export function alongLaw(sizes: readonly TuningSize[], scheme: string, law: RateLaw): TuningSize[] {
  const own = sizes.filter((size) => size.scheme === scheme && size.step > 0)
  const key = ({ width, seed, module, quantity, step }: TuningSize) =>
    JSON.stringify([width, seed, module, quantity, step])
  return [...groupsOf(own, key).values()].flatMap((curve): TuningSize[] => {
    const sorted = [...curve].sort((x, y) => x.rate - y.rate)
    const rate = rateAt(law, sorted[0]!.width)
    const above = sorted.findIndex((size) => size.rate >= rate * (1 - SAME))
    const [x, y] = [sorted[Math.max(0, above - 1)]!, sorted[above]]
    if (y === undefined) return []
    const part = x.rate === y.rate ? 1 : Math.log(rate / x.rate) / Math.log(y.rate / x.rate)
    const value = x.value === 0 || y.value === 0 ? 0 : x.value * (y.value / x.value) ** part
    return [{ ...y, rate, value }]
  })
}
/** Rates that differ by less, in parts of them, are one: a law meets a grid's rates but for rounding. */
const SAME = 1e-9

/** Of each kind of layer and quantity, at each step, the mean square over layers, a value each seed. */
export function recordedOf(sizes: readonly TuningSize[]): Recorded[] {
  const kinds = groupsOf(sizes, ({ kind, quantity, step }) => JSON.stringify([kind, quantity, step]))
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
