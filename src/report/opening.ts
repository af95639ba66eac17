import type { TopLevelSpec } from "vega-lite"
import type { Judgement } from "./judgement.js"
import type { ReportTable } from "./table.js"

/** How a rate falls with the width: one subject at one level, derived beside measured. */
export interface Law {
  /** Whose law it is, as Init[A]. */
  readonly subject: string
  readonly level: "features" | "output"
  /** The readout exponent of the network that trains. */
  readonly readout: number
  /** The derived power of the width, in words: n^(−1/2). */
  readonly derived: string
  /** The theorem that proves it and its checkers; null where none speaks of it. */
  readonly proven: { readonly theorem: string; readonly checkers: readonly string[] } | null
  /** The measured exponent with its 95 % interval; null where no slope could be fitted. */
  readonly measured: { readonly exponent: number; readonly low: number; readonly high: number } | null
  readonly verdict: Judgement
}

/** The first screen of a report: its question, answer, laws, their figure, and what follows. Texts are Markdown. */
export interface Opening {
  readonly question: string
  readonly answer: string
  readonly laws: readonly Law[]
  readonly figure: { readonly name: string; readonly caption: string; readonly spec: TopLevelSpec }
  /** What follows for someone who fine-tunes. */
  readonly practice: string
}

/** Names the opening's files and its place in the page. */
export const OPENING = { id: "answer" } as const

/** What is asked of a rate at each level. */
const ASKED: Readonly<Record<Law["level"], string>> = {
  features: "largest with bounded features",
  output: "of least loss",
}

/** The laws, one a row. */
export function lawTable({ laws }: Opening): ReportTable {
  return {
    columns: ["start", "readout o", "rate", "derived", "proven", "measured, 95 %", "verdict"],
    rows: laws.map(({ subject, readout, level, derived, proven, measured, verdict }) => [
      subject,
      readout,
      ASKED[level],
      derived,
      proven?.theorem ?? "—",
      measured === null ? "—" : measuredText(measured),
      verdict,
    ]),
  }
}

function measuredText({ exponent, low, high }: NonNullable<Law["measured"]>): string {
  const [centre, from, to] = [exponent, low, high].map((value) => value.toFixed(2).replace("-", "−"))
  return `${centre} [${from}, ${to}]`
}
