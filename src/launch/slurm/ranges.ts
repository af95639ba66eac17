/** Numbers in ascending order as sbatch has them: 1-4,7. */
export function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = []
  for (const number of numbers) {
    const last = runs.at(-1)
    if (last?.[1] === number - 1) last[1] = number
    else runs.push([number, number])
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",")
}

/** The numbers that Slurm writes so, [1-4,7%2] too; none of another text. */
export function numbersOf(text: string): number[] {
  const match = /^\[?(\d[\d,-]*)(?:%\d+)?\]?$/.exec(text)
  if (match === null) return []
  return match[1]!.split(",").flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number) as [number, number?]
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}
