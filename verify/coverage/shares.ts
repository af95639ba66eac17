import type { Judgement } from "../../src/report/judgement.js"

/** The level of the intervals. */
const LEVEL = 0.95
/** What the coverage of a 95 % interval is held to. */
export const [LEAST, MOST] = [0.93, 0.97]
/**
 * As many repetitions decide: their share has a standard error of 0.3 %. With a thousand, luck decides about 93.5 or
 * 96.5 %.
 */
export const ENOUGH = 4000

/** The binomial standard error of a share of so many repetitions of a 95 % interval. */
export function shareError(repetitions: number): number {
  return Math.sqrt((LEVEL * (1 - LEVEL)) / repetitions)
}

/**
 * Within the bounds or not; with few repetitions only where the share is beyond them by more than three standard
 * errors.
 */
export function judgeShare(covered: number, repetitions: number): Judgement {
  const share = covered / repetitions
  const slack = repetitions >= ENOUGH ? 0 : 3 * shareError(repetitions)
  if (share < LEAST - slack || share > MOST + slack) return "contradicts"
  return repetitions >= ENOUGH ? "agrees" : "inconclusive"
}

/** A share in per cent. */
export function percent(count: number, of: number): string {
  return `${((100 * count) / of).toFixed(1)} %`
}
