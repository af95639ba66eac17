/**
 * The known name that an unknown one is most likely meant to be: equal but for case and punctuation, else fewest edits, at most a third
 * of its letters; null if none is that near.
 */
export function nearest(given: string, known: readonly string[]): string | null {
  const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")
  const wanted = plain(given)
  let [best, least] = [null as string | null, Math.floor(Math.max(wanted.length, 3) / 3) + 0.5]
  for (const name of known) {
    const distance = edits(wanted, plain(name))
    if (distance < least) [best, least] = [name, distance]
  }
  return best
}

/** How many letters must be changed, added or taken away (Levenshtein 1966). */
function edits(from: string, to: string): number {
  let before = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const now = [i]
    for (let j = 1; j <= to.length; j++)
      now.push(Math.min(before[j]! + 1, now[j - 1]! + 1, before[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)))
    before = now
  }
  return before[to.length]!
}
