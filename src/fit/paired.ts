import { mean, sampleStandardDeviation } from "simple-statistics"
import { studentQuantile } from "./normal.js"

/** The mean of paired differences with Student's 95 % interval. */
export interface PairedDifference {
  readonly mean: number
  readonly low: number
  readonly high: number
}

/**
 * The mean of differences between pairs that share what they do not differ in.
 *
 * @param differences one a pair; of a single one the interval is unbounded.
 */
export function pairedDifference(differences: readonly number[]): PairedDifference {
  const centre = mean([...differences])
  if (differences.length < 2) return { mean: centre, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  const error = sampleStandardDeviation([...differences]) / Math.sqrt(differences.length)
  const half = studentQuantile(0.95, differences.length - 1) * error
  return { mean: centre, low: centre - half, high: centre + half }
}
