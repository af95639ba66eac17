/**
 * Whether losses vary more the higher they lie above the least loss of their curve, as they do where seeds differ in how
 * far they are from diverging.
 */
import { groupsOf } from "../table/groups.js"
import { heightsOf } from "./bracket.js"
import { twoSidedQuantile } from "./normal.js"
import { minimum } from "./search.js"
import { commonRuns, type SeededPoint } from "./seeds.js"
import type { Spread } from "./spread.js"

/** Growing noise, and the degrees of freedom that its deviation at the least loss was told with. */
export interface Growth extends Spread {
  readonly degrees: number
}

/** Noise counts as even unless a test of this level rejects it. */
const LEVEL = 0.999
/** Scales are looked for on a grid of their logarithm, from this part of the largest height on … */
const FINEST = 1e-4
/** … and then by golden section. */
const [SCALES, STEPS] = [24, 24]

/** The runs of a rate about their mean. */
interface Cell {
  readonly height: number
  readonly off: readonly number[]
  readonly squares: number
}

/** What repeated runs of a curve say of noise. */
interface Repeats {
  readonly cells: readonly Cell[]
  /** Whether the runs of each cell are those of the same seeds, whose levels are taken off. */
  readonly isLevelled: boolean
}

/**
 * The variance σ² (1 + (h / s)²) of a loss at the height h, by restricted maximum likelihood (Patterson and Thompson
 * 1971) from runs that were repeated at one rate, pooled over curves: means of rates and levels of seeds are taken off.
 *
 * @returns null where nothing was repeated, or where even noise (s infinite) explains the runs: the likelihood-ratio test
 * of level 0.999 does not reject it.
 */
export function noiseGrowth(curves: readonly (readonly SeededPoint[])[]): Growth | null {
  const repeats = curves.map(repeatsOf)
  const highest = Math.max(0, ...repeats.flatMap(({ cells }) => cells.map(({ height }) => height)))
  const even = fitAt(repeats, Number.POSITIVE_INFINITY)
  if (!(highest > 0 && even.degrees > 0 && even.variance > 0)) return null
  const minus = (logScale: number) => -fitAt(repeats, Math.exp(logScale)).likelihood
  const place = (i: number) => Math.log(highest) + (1 - i / SCALES) * Math.log(FINEST)
  const values = Array.from({ length: SCALES + 1 }, (_, i) => minus(place(i)))
  const best = values.indexOf(Math.min(...values))
  const scale = Math.exp(minimum(minus, place(Math.max(0, best - 1)), place(Math.min(SCALES, best + 1)), STEPS))
  const { likelihood, variance } = fitAt(repeats, scale)
  if (!(2 * (likelihood - even.likelihood) > twoSidedQuantile(LEVEL) ** 2)) return null
  const deviation = Math.sqrt(variance)
  return { deviation, growth: deviation / scale, degrees: degreesAt(repeats, scale) }
}

function repeatsOf(points: readonly SeededPoint[]): Repeats {
  const heights = heightsOf(points)
  const common = commonRuns(points)
  const repeated =
    common ??
    [...groupsOf(points, ({ rate }) => String(rate)).values()].filter(
      (own) => own.length > 1 && own.every(({ value }) => Number.isFinite(value)),
    )
  const cells = repeated.map((own): Cell => {
    const centre = own.reduce((sum, { value }) => sum + value, 0) / own.length
    const off = own.map(({ value }) => value - centre)
    return { height: heights.get(own[0]!.rate)!, off, squares: off.reduce((sum, x) => sum + x ** 2, 0) }
  })
  return { cells, isLevelled: common !== null }
}

/** At a scale the least variance, and the likelihood's logarithm but for a constant. */
function fitAt(repeats: readonly Repeats[], scale: number) {
  let [squares, degrees, logarithms] = [0, 0, 0]
  for (const { cells, isLevelled } of repeats) {
    let total = 0
    const levels = isLevelled ? cells[0]!.off.map(() => 0) : []
    for (const { height, off, squares: own } of cells) {
      const weight = 1 / (1 + (height / scale) ** 2)
      total += weight
      squares += weight * own
      degrees += off.length - 1
      logarithms += (off.length - 1) * Math.log(weight)
      for (let s = 0; s < levels.length; s++) levels[s]! += weight * off[s]!
    }
    if (!isLevelled) continue
    // What levels take up: their weighted means, each seed's but one.
    for (const level of levels) squares -= level ** 2 / total
    degrees -= levels.length - 1
    logarithms -= (levels.length - 1) * Math.log(total)
  }
  const variance = squares / degrees
  return { variance, degrees, likelihood: (logarithms - degrees * Math.log(variance)) / 2 }
}

/**
 * The degrees of freedom of the deviation at the least loss: what the information on σ² is of that on one variance,
 * growth being unknown too, and levels taken up from where losses vary least; one at least.
 */
function degreesAt(repeats: readonly Repeats[], scale: number): number {
  let [own, both, grown] = [0, 0, 0]
  for (const { cells, isLevelled } of repeats) {
    const shares = cells.map(({ height }) => 1 / (1 + (height / scale) ** 2))
    const total = shares.reduce((sum, share) => sum + share, 0)
    for (const [i, { off }] of cells.entries()) {
      const share = shares[i]!
      const degrees = (off.length - 1) * (isLevelled ? 1 - share / total : 1)
      own += degrees * share ** 2
      both += degrees * share * (1 - share)
      grown += degrees * (1 - share) ** 2
    }
  }
  return Math.max(1, Math.floor(own - both ** 2 / grown))
}
