/**
 * Numbers that agree to five digits are one: what a decimal printed with six of them, float32, or exp(log x) leaves of
 * it.
 */
const TOLERANCE = 1e-5

/**
 * Of each number the one that stands for all that are the same as it: that with the shortest text.
 *
 * @param numbers finite, in any order, repeated or not.
 */
export function standIns(numbers: Iterable<number>): ReadonlyMap<number, number> {
  const sorted = [...new Set(numbers)].sort((x, y) => x - y)
  const found = new Map<number, number>()
  let cluster: number[] = []
  const close = () => {
    const shortest = cluster.reduce((best, x) => (String(x).length < String(best).length ? x : best), cluster[0]!)
    for (const x of cluster) found.set(x, shortest)
    cluster = []
  }
  for (const x of sorted) {
    if (cluster.length > 0 && x - cluster[0]! > TOLERANCE * Math.abs(x)) close()
    cluster.push(x)
  }
  if (cluster.length > 0) close()
  return found
}
