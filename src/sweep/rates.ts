/** A grid of learning rates, evenly spaced in their logarithm: from · 10^(i / perDecade) up to `to`. */
export interface RateGrid {
  readonly from: number
  readonly to: number
  readonly perDecade: number
}

/** The rate at a place of the grid. */
export function gridRate({ from, perDecade }: RateGrid, place: number): number {
  return from * 10 ** (place / perDecade)
}

/** The grid's rates, lowest first. */
export function rateGrid(grid: RateGrid): number[] {
  const count = Math.round(Math.log10(grid.to / grid.from) * grid.perDecade)
  return Array.from({ length: count + 1 }, (_, place) => gridRate(grid, place))
}

/**
 * The places to measure next on a lattice: half a spacing to either side of the least value so far.
 *
 * Begun on every 2^k-th place and repeated with spacings 2^k, 2^(k−1), … 2, it ends with the least value's neighbours
 * measured; where the values fall and then rise, that is the least of the whole lattice. Values that are not finite
 * count as worst; where none is finite there is no next place.
 *
 * @param measured place → value.
 * @param last the last place; the first is 0.
 * @param spacing that of the places measured around the least value; even.
 */
export function refinement(measured: ReadonlyMap<number, number>, last: number, spacing: number): number[] {
  const finite = [...measured].filter(([, value]) => Number.isFinite(value))
  if (finite.length === 0) return []
  const [best] = finite.reduce((least, entry) => (entry[1] < least[1] ? entry : least))
  return [best - spacing / 2, best + spacing / 2].filter((place) => place >= 0 && place <= last && !measured.has(place))
}

/**
 * The place of the least value so far; where none is finite the lowest, since rates that are too large diverge.
 *
 * Repeated with what is around it measured, until nothing is left, it is the least of all within that distance: of the
 * whole grid where the values fall and then rise.
 *
 * @param measured place → value, one at least.
 */
export function leastPlace(measured: ReadonlyMap<number, number>): number {
  const finite = [...measured].filter(([, value]) => Number.isFinite(value))
  if (finite.length === 0) return Math.min(...measured.keys())
  return finite.reduce((least, entry) => (entry[1] < least[1] ? entry : least))[0]
}

/** The places of a grid within a distance of one. */
export function placesAround(place: number, last: number, margin: number): number[] {
  const [first, end] = [Math.max(0, place - margin), Math.min(last, place + margin)]
  return Array.from({ length: end - first + 1 }, (_, i) => first + i)
}
