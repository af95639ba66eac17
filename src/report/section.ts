import type { TopLevelSpec } from "vega-lite"
import type { ReportTable } from "./table.js"

/** One piece of a section, in reading order; texts are Markdown. */
export type SectionPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "table"; readonly caption: string; readonly table: ReportTable }
  | { readonly kind: "figure"; readonly name: string; readonly caption: string; readonly spec: TopLevelSpec }

/** What a measurement says of a claim. */
export type Judgement = "agrees" | "contradicts" | "inconclusive"

/** One judged statement of a section. */
export interface SectionFinding {
  /** The claim in words, its numbers derived, never typed. */
  readonly claim: string
  readonly verdict: Judgement
  /** For a contradiction, its named cause; for an inconclusive one, the budget that would decide it. */
  readonly why: string | null
}

/** What an experiment says: a section of the report, in whatever format it is printed. */
export interface Section {
  /** Names its files, as `lora-rate-plane`. */
  readonly id: string
  readonly title: string
  /** What is claimed, and by whom; Markdown. */
  readonly claim: string
  readonly parts: readonly SectionPart[]
  readonly findings: readonly SectionFinding[]
  /** Every number, by the name of its CSV file. */
  readonly data: Readonly<Record<string, ReportTable>>
}
