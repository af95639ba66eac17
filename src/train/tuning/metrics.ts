/** What predictions come to. */
import type { Metric } from "./task.js"

/** Metrics of predicted classes beside the right ones. */
export const CLASS_METRICS: Readonly<
  Partial<Record<Metric, (predicted: readonly number[], right: readonly number[]) => number>>
> = {
  accuracy: (predicted, right) => predicted.filter((each, i) => each === right[i]).length / right.length,
  matthews: (predicted, right) => {
    const { tp, tn, fp, fn } = counts(predicted, right)
    const under = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return under === 0 ? 0 : (tp * tn - fp * fn) / under
  },
  f1: (predicted, right) => {
    const { tp, fp, fn } = counts(predicted, right)
    return tp === 0 ? 0 : (2 * tp) / (2 * tp + fp + fn)
  },
}

/** Pairs of predicted and right classes, 1 being the positive one. */
function counts(predicted: readonly number[], right: readonly number[]) {
  const count = (one: boolean, is: boolean) =>
    predicted.filter((each, i) => (each === 1) === one && (right[i] === 1) === is).length
  return { tp: count(true, true), tn: count(false, false), fp: count(true, false), fn: count(false, true) }
}

/** The last number in a text, as GSM8K's answers are compared: without commas, a sign in front, no zeros behind. */
export function lastNumber(text: string): string | null {
  const found = text.match(/-?\d[\d,]*(?:\.\d+)?/g)?.at(-1)
  return found === undefined ? null : String(Number(found.replaceAll(",", "")))
}
