import type { TopLevelSpec } from "vega-lite"
import type { Judgement } from "./judgement.js"
import type { Opening } from "./opening.js"
import type { ReportTable } from "./table.js"

/** One piece of a section, in reading order; texts are Markdown. */
export type SectionPart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "table"; readonly caption: string; readonly table: ReportTable }
  | { readonly kind: "figure"; readonly name: string; readonly caption: string; readonly spec: TopLevelSpec }

/** One judged statement of a section. */
export interface SectionFinding {
  /** The claim in words, its numbers derived, never typed. */
  readonly claim: string
  readonly verdict: Judgement
  /** For a contradiction, its named cause; for an inconclusive one, the budget that would decide it. */
  readonly why: string | null
  /** What the claim is about, one by one, where it only says how many; folded in print. */
  readonly items?: readonly string[]
}

/** What a section asks, and what was found, in words and before any table. */
export interface SectionAnswer {
  readonly question: string
  /** Markdown; its numbers computed, never typed. */
  readonly text: string
}

/** What an experiment says: a section of the report, in whatever format it is printed. */
export interface Section {
  /** Names its files, as `lora-rate-plane`. */
  readonly id: string
  readonly title: string
  /** Null for a page that asks nothing. */
  readonly answer: SectionAnswer | null
  /** What is claimed, and by whom; Markdown. */
  readonly claim: string
  readonly parts: readonly SectionPart[]
  readonly findings: readonly SectionFinding[]
  /** Claims that runs of this size left open; the full size asks them again. They are no findings. */
  readonly askedAtFullSize?: readonly SectionFinding[]
  /** The report's first screen, where this section measures its laws. */
  readonly opening?: Opening
  /** Every number, by the name of its CSV file. */
  readonly data: Readonly<Record<string, ReportTable>>
}

/** The section without the claims that its size could not decide, which are left to the full size. */
export function leftToFullSize(section: Section): Section {
  const isOpen = ({ verdict }: SectionFinding) => verdict === "inconclusive"
  return {
    ...section,
    findings: section.findings.filter((finding) => !isOpen(finding)),
    askedAtFullSize: section.findings.filter(isOpen),
  }
}
