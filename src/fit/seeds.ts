/** Runs of several seeds as one curve: the level of each seed is taken off. */
import { groupsOf } from "../table/groups.js"
import { heightsOf } from "./bracket.js"
import type { GridPoint } from "./optimum.js"
import { type Spread, weightAt } from "./spread.js"

/** A run of a curve, and the seed that it had. */
export interface SeededPoint extends GridPoint {
  readonly seed: string
}

/** Fewer common rates tell no level. */
const LEAST_COMMON = 3

/**
 * The runs at each rate at which every seed ran and none diverged, in the order of seeds; null where there is one seed,
 * or fewer than three such rates.
 */
export function commonRuns(points: readonly SeededPoint[]): (readonly SeededPoint[])[] | null {
  const seeds = [...groupsOf(points, ({ seed }) => seed).keys()]
  if (seeds.length < 2) return null
  const common = [...groupsOf(points, ({ rate }) => String(rate)).values()].flatMap((own) => {
    if (own.length !== seeds.length || !own.every(({ value }) => Number.isFinite(value))) return []
    const bySeed = new Map(own.map((point) => [point.seed, point]))
    return bySeed.size === seeds.length ? [seeds.map((seed) => bySeed.get(seed)!)] : []
  })
  return common.length < LEAST_COMMON ? null : common
}

/**
 * Losses against rates without their seeds' levels: seeds that differ in their data differ in the loss at every rate
 * alike, which is no noise of the curve's shape. Levels are means over the rates that all seeds have in common; without
 * such rates losses stay as they are.
 *
 * @param noise where it grows, a rate far above the least loss tells less of a level; null where it is even.
 */
export function withoutLevels(points: readonly SeededPoint[], noise: Spread | null): GridPoint[] {
  const common = commonRuns(points)
  if (common === null) return points.map(({ rate, value }) => ({ rate, value }))
  const heights = heightsOf(points)
  const weights = common.map(([first]) => (noise === null ? 1 : weightAt(noise, heights.get(first!.rate)!)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const levels = common[0]!.map(
    (_, s) => common.reduce((sum, runs, i) => sum + weights[i]! * runs[s]!.value, 0) / total,
  )
  const all = levels.reduce((sum, level) => sum + level, 0) / levels.length
  const levelOf = new Map(common[0]!.map(({ seed }, s) => [seed, levels[s]! - all]))
  return points.map(({ rate, seed, value }) => ({ rate, value: value - levelOf.get(seed)! }))
}
