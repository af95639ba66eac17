/** Powers of two 2^from … 2^to. */
export function powersOfTwo(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i))
}

/** Fourth powers from⁴ … to⁴: n^(1/4) and n^(1/2) are integers. */
export function fourthPowers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => (from + i) ** 4)
}
