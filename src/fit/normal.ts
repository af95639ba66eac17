import { errorFunction } from "simple-statistics"

/** The z with P(|N(0, 1)| ≤ z) = level, to 1e-6; the library's own probit is only good to 2e-3. */
export function twoSidedQuantile(level: number): number {
  let [low, high] = [0, 6]
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2
    if (errorFunction(middle / Math.SQRT2) < level) low = middle
    else high = middle
  }
  return (low + high) / 2
}
