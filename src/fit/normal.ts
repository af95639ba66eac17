import { errorFunction } from "simple-statistics"

/** The z with P(|N(0, 1)| ≤ z) = level, to 1e-6; the library's own probit is only good to 2e-3. */
export function twoSidedQuantile(level: number): number {
  return quantile((z) => errorFunction(z / Math.SQRT2), level)
}

/**
 * The two-sided quantile of Student's t, for errors that were themselves estimated: its distribution function is a
 * finite series for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4), inverted by bisection to 1e-9.
 */
export function studentQuantile(level: number, degrees: number): number {
  return quantile((t) => studentWithin(t, degrees), level)
}

/** P(|t| ≤ x) with whole degrees of freedom ≥ 1. */
function studentWithin(x: number, degrees: number): number {
  const angle = Math.atan(x / Math.sqrt(degrees))
  const square = Math.cos(angle) ** 2
  const odd = degrees % 2
  let [sum, term] = [0, odd === 1 ? Math.cos(angle) : 1]
  for (let k = odd; k <= degrees - 2; k += 2) {
    sum += term
    term *= (square * (k + 1)) / (k + 2)
  }
  return odd === 1 ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum
}

/** The x ≥ 0 at which a distribution function of |x| reaches the level. */
function quantile(within: (x: number) => number, level: number): number {
  let [low, high] = [0, 6]
  while (within(high) < level && high < 1e6) high *= 2
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (within(middle) < level) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** ln of the standard normal density. */
export function logDensity(z: number): number {
  return -(z * z) / 2 - Math.log(2 * Math.PI) / 2
}

/**
 * ln P(low < N(0, 1) < high), with a relative error of 1e-7 however far out the interval lies, so that likelihoods of
 * interval-censored data have no cliff.
 */
export function logProbability(low: number, high: number): number {
  if (low > 0) return difference(logUpperTail(low), logUpperTail(high))
  if (high < 0) return difference(logUpperTail(-high), logUpperTail(-low))
  return Math.log1p(-Math.exp(logUpperTail(-low)) - Math.exp(logUpperTail(high)))
}

/** ln(eˣ − eʸ) for x ≥ y. */
function difference(x: number, y: number): number {
  return y === Number.NEGATIVE_INFINITY ? x : x + Math.log(-Math.expm1(y - x))
}

/** ln P(N(0, 1) > z) for z ≥ 0 by Numerical Recipes' `erfcc`, a Chebyshev fit with relative error below 1.2e-7. */
function logUpperTail(z: number): number {
  if (z === Number.POSITIVE_INFINITY) return Number.NEGATIVE_INFINITY
  const x = z / Math.SQRT2
  const t = 1 / (1 + x / 2)
  const series = CHEBYSHEV.reduceRight((sum, coefficient) => sum * t + coefficient, 0)
  return Math.log(t / 2) - x * x + series
}

const CHEBYSHEV = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
]
