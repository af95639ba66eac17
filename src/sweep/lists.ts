/** The seeds that a configuration names: a list as it is, a count k as 1 … k. */
export function seedList(seeds: number | readonly number[]): readonly number[] {
  return typeof seeds === "number" ? Array.from({ length: seeds }, (_, i) => i + 1) : seeds
}

/** The widths, widest first: what does not fit fails at once, and no thread is left with a long run at the end. */
export function widestFirst(widths: readonly number[]): readonly number[] {
  return [...widths].sort((x, y) => y - x)
}
