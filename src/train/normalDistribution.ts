/** P(N(0, 1) < x), to the last digits of float64. */
export function normalBelow(x: number): number {
  if (x > 0) return 1 - normalBelow(-x)
  return x > -3 ? 0.5 + series(x) : tail(-x)
}

/**
 * P(at < N(0, 1) < at + change), negative for a negative change, with a small relative error however small the change
 * is: up to a length of 1 by Gauss's rule of 12 points.
 */
export function normalBetween(change: number, at: number): number {
  if (Math.abs(change) > 1) {
    // On the side where both tails are small, so that no ones are subtracted.
    return at + change / 2 > 0
      ? normalBelow(-at) - normalBelow(-at - change)
      : normalBelow(at + change) - normalBelow(at)
  }
  let sum = 0
  for (const [node, weight] of GAUSS)
    for (const side of [-1, 1]) sum += weight * density(at + (change * (1 + side * node)) / 2)
  return (change / 2) * sum
}

function density(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
}

/**
 * P(0 < N(0, 1) < x) for |x| ≤ 3: φ(x) (x + x³/3 + x⁵/15 + …), all terms of one sign (Abramowitz and Stegun 26.2.11).
 */
function series(x: number): number {
  let [sum, term] = [0, x]
  for (let k = 1; Math.abs(term) > 1e-18 * Math.abs(sum); k++) {
    sum += term
    term *= (x * x) / (2 * k + 1)
  }
  return sum * density(x)
}

/** P(N(0, 1) > x) for x ≥ 3 by the continued fraction φ(x) / (x + 1/(x + 2/(x + 3/…))) (26.2.14). */
function tail(x: number): number {
  let fraction = x
  for (let k = 80; k >= 1; k--) fraction = x + k / fraction
  return density(x) / fraction
}

/** Positive nodes and weights of Gauss–Legendre's rule of 12 points on [−1, 1] (25.4.30). */
export const GAUSS = [
  [0.1252334085114689, 0.2491470458134027],
  [0.3678314989981802, 0.2334925365383546],
  [0.5873179542866175, 0.20316742672306573],
  [0.7699026741943047, 0.1600783285433464],
  [0.9041172563704748, 0.10693932599531907],
  [0.9815606342467192, 0.04717533638651141],
] as const
