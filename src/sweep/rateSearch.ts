/** Which learning rates a sweep measures, by what was measured before: a grid, refined or followed from width to width. */
import type { z } from "zod"
import type { rates } from "./fields.js"
import type { PlannedRun } from "./plannedRun.js"
import { gridRate, leastPlace, placesAround, type RateGrid, rateGrid, refinement } from "./rates.js"

/** Runs that differ in their rate only. */
export interface Group {
  readonly width: number
  /** Equal for groups that differ in width and seed only. */
  readonly family: string
  readonly at: (rate: number) => PlannedRun
}

/** A sweep over rates. */
export interface RateSearch {
  readonly groups: readonly Group[]
  readonly rates: z.output<typeof rates>
  /** What of a run's result is to be least; NaN where it diverged. */
  readonly value: (result: unknown) => number
}

/** The results of stored runs by identity. */
type Results = ReadonlyMap<string, unknown>

/**
 * The runs at the rates that are known beforehand: the list, or the grid as given. Runs that share data stand together.
 */
export function firstRuns({ groups, rates }: RateSearch): PlannedRun[] {
  const narrowest = Math.min(...groups.map(({ width }) => width))
  const isFirst = !Array.isArray(rates) && rates.follow > 0 ? (width: number) => width === narrowest : () => true
  return groups
    .filter(({ width }) => isFirst(width))
    .flatMap(({ at }) => (Array.isArray(rates) ? rates : rateGrid(rates)).map(at))
}

/** A run of each size that the sweep has. */
export function sizes({ groups }: RateSearch): PlannedRun[] {
  return groups.map(({ at }) => at(1))
}

/** The runs that are next by what was measured before; none where the sweep is at its end. */
export function nextRuns(search: RateSearch, round: number, results: Results): PlannedRun[] {
  const { rates } = search
  if (Array.isArray(rates)) return []
  if (rates.follow > 0) return followedRuns(search, rates, results)
  return round > rates.refine ? [] : refinedRuns(search, rates, round, results)
}

/** How many runs follow the given first ones at most. */
export function mostLater({ groups, rates }: RateSearch, first: readonly PlannedRun[]): number {
  if (Array.isArray(rates)) return 0
  if (rates.follow > 0) return (new Set(groups.map(({ width }) => width)).size - 1) * first.length
  return 2 * rates.refine * new Set(first.map(({ shardKey }) => shardKey)).size
}

/** What decides the shard of a group's runs: what a later rate depends on must be in the same one. */
export function shardKeyOf(
  rates: RateSearch["rates"],
  keys: { readonly group: () => string; readonly family: string },
): string | undefined {
  // A plain grid is split run by run.
  if (Array.isArray(rates)) return undefined
  if (rates.follow > 0) return keys.family
  return rates.refine > 0 ? keys.group() : undefined
}

type Grid = Exclude<RateSearch["rates"], number[]>

/**
 * The runs that follow the minima from a width to the next: for each family, at the first width where the
 * rates around the least value of every seed are not all measured for all seeds, those that are not; at a
 * width where none is, those around the minima of the next narrower one. So all seeds of a width have the same rates.
 */
function followedRuns({ groups: all, value }: RateSearch, rates: Grid, results: Results): PlannedRun[] {
  const last = rateGrid(rates).length - 1
  const near = (places: readonly number[]) => [
    ...new Set(places.flatMap((place) => placesAround(place, last, rates.follow))),
  ]
  const widths = all.map(({ width }) => width)
  return [...new Set(all.map(({ family }) => family))].flatMap((family) => {
    let before: readonly number[] = []
    for (const width of [...new Set(widths)].sort((x, y) => x - y)) {
      const seeds = all
        .filter((group) => group.family === family && group.width === width)
        .map(({ at }) => ({ at, measured: measuredAt(at, rates, last, results, value) }))
      const least = seeds.flatMap(({ measured }) => (measured.size === 0 ? [] : [leastPlace(measured)]))
      const wanted = near(least.length === 0 ? before : least)
      const next = seeds.flatMap(({ at, measured }) =>
        wanted.filter((place) => !measured.has(place)).map((place) => at(gridRate(rates, place))),
      )
      if (next.length > 0 || least.length === 0) return next
      before = least
    }
    return []
  })
}

/** The values of a group's stored runs by their places on a grid. */
function measuredAt(
  at: Group["at"],
  grid: RateGrid,
  last: number,
  results: Results,
  value: RateSearch["value"],
): Map<number, number> {
  const measured = new Map<number, number>()
  for (let place = 0; place <= last; place++) {
    const result = results.get(at(gridRate(grid, place)).id)
    if (result !== undefined) measured.set(place, value(result))
  }
  return measured
}

/**
 * The runs of a round of refinement, by what was measured before: for each group the rates half a spacing to either side
 * of that of the least value.
 *
 * @param round from 1 to `refine`; the results are those of all rounds before.
 */
function refinedRuns({ groups, value }: RateSearch, rates: Grid, round: number, results: Results): PlannedRun[] {
  const finest = 2 ** rates.refine
  const lattice = { ...rates, perDecade: rates.perDecade * finest }
  const last = finest * (rateGrid(rates).length - 1)
  return groups.flatMap(({ at }) => {
    const measured = measuredAt(at, lattice, last, results, value)
    return refinement(measured, last, finest / 2 ** (round - 1)).map((place) => at(gridRate(lattice, place)))
  })
}
