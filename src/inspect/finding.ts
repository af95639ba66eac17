/** What a finding is: a row of data with a question, a threshold with its source, and words. */
import type { MeasuredModule, MeasuredRun } from "./measureRun.js"

/**
 * What the files say to a finding's question: `sick`: something went wrong, `notice`: worth knowing and often meant,
 * `healthy`: asked, and nothing was found, `fact`: an answer without a judgement, `unknown`: not identifiable from
 * these files.
 */
export type FindingState = "sick" | "notice" | "healthy" | "fact" | "unknown"

/** The answer to one question about one run. */
export interface Answer {
  readonly state: FindingState
  /** In words, numbers included. */
  readonly says: string
  /** The number that was compared, and with what; null where none was. */
  readonly number: number | null
  readonly threshold: number | null
  /** The modules that it is about; empty for all of them. */
  readonly modules: readonly string[]
}

/** Where a threshold comes from. */
export type ThresholdSource = "theory" | "null distribution" | "number format" | "none"

/** One question, as a file of `findings/` holds it. */
export interface Finding {
  /** Names its page, docs/doctor/<id>.md. */
  readonly id: string
  readonly title: string
  /** What is measured, in a sentence. */
  readonly measures: string
  readonly threshold: { readonly source: ThresholdSource; readonly text: string }
  readonly why: string
  /** What would settle it. */
  readonly settle: string
  readonly examine: (measured: MeasuredRun) => Answer
}

const answer =
  (state: FindingState) =>
  (
    says: string,
    number: number | null = null,
    threshold: number | null = null,
    modules: readonly string[] = [],
  ): Answer => ({
    state,
    says,
    number,
    threshold,
    modules,
  })
export const sick = answer("sick")
export const notice = answer("notice")
export const healthy = answer("healthy")
export const fact = answer("fact")
/** Not identifiable from these files: the words say which file would tell. */
export const unknown = (says: string): Answer => answer("unknown")(`Not identifiable from these files: ${says}`)

/** A few names and how many more. */
export function listed(modules: readonly { readonly name: string }[]): string {
  const names = modules.slice(0, 3).map(({ name }) => name)
  return `${names.join(", ")}${modules.length > 3 ? ` and ${modules.length - 3} more` : ""}`
}

/** A number as people read it. */
export function shown(value: number): string {
  return value === 0
    ? "0"
    : Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5
      ? String(Number(value.toPrecision(3)))
      : value.toExponential(2)
}

export const percent = (share: number) => `${shown(100 * share)} %`

export const names = (modules: readonly MeasuredModule[]) => modules.map(({ name }) => name)

/** Frobenius norm of BA from its singular values, without the multiplier. */
export const productNormOf = (spectrum: readonly number[]) => Math.hypot(...spectrum)

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((p, q) => p - q)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
