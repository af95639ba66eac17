import type { Environment } from "./environment.js"
import type { Opening } from "./opening.js"
import type { Section, SectionFinding } from "./section.js"
import type { ReportTable } from "./table.js"

/** What the runs of an experiment took. */
export interface Spent {
  /** Runs of the store that it rests on. */
  readonly runs: number
  /** What they took, summed over threads, whenever they were run. */
  readonly runSeconds: number
  /** From its beginning to its section in this process: little where the store had its runs. */
  readonly seconds: number
  /** The seeds of its runs, as 0…63. */
  readonly seeds: string
}

/** A section, the command that makes it, and what it took. */
export interface Chapter {
  readonly section: Section
  readonly command: string
  readonly spent: Spent
}

/** A report, in whatever format it is printed. */
export interface ReportDocument {
  readonly title: string
  /** Its first screen; null where the experiments that it rests on were not run. */
  readonly opening: Opening | null
  /** What was run and how to read it; Markdown. */
  readonly preface: string
  readonly chapters: readonly Chapter[]
  readonly environment: Environment & { readonly workers: number }
}

/** A finding and where it stands. */
export interface Placed extends SectionFinding {
  readonly section: Section
}

/** All findings, in reading order. */
export function findingsOf({ chapters }: ReportDocument): Placed[] {
  return chapters.flatMap(({ section }) => section.findings.map((finding) => ({ ...finding, section })))
}

/** How many findings have each verdict, in words. */
export function countsOf(findings: readonly SectionFinding[]): string {
  const count = (verdict: SectionFinding["verdict"]) => findings.filter((finding) => finding.verdict === verdict).length
  return `${count("agrees")} agree, ${count("contradicts")} contradict, ${count("inconclusive")} undecided`
}

/** A section's summary: its verdicts counted, and how many claims are left to the full size. */
export function summaryOf({ findings, askedAtFullSize = [] }: Section): string {
  const counts = findings.length === 0 ? "no verdicts" : countsOf(findings)
  return askedAtFullSize.length === 0 ? counts : `${counts}; ${claims(askedAtFullSize.length)} asked at full size`
}

/** The one line that names what a quick run left open; null where it left nothing open. */
export function askedLine({ askedAtFullSize = [] }: Section): string | null {
  if (askedAtFullSize.length === 0) return null
  const [first] = askedAtFullSize
  const others = askedAtFullSize.length - 1
  return `Asked at full size: ${first!.claim}${others === 0 ? "" : `, and ${claims(others)} more`}.`
}

/** What was found against the paper or the derivations, or left open. */
export function againstOf(document: ReportDocument): {
  readonly contradicted: readonly Placed[]
  readonly open: readonly Placed[]
  /** Claims left to the full size. */
  readonly asked: number
} {
  const findings = findingsOf(document)
  return {
    contradicted: findings.filter(({ verdict }) => verdict === "contradicts"),
    open: findings.filter(({ verdict }) => verdict === "inconclusive"),
    asked: document.chapters.reduce((sum, { section }) => sum + (section.askedAtFullSize?.length ?? 0), 0),
  }
}

/** So many claims, in words. */
export function claims(count: number): string {
  return `${count} ${count === 1 ? "claim" : "claims"}`
}

/** What of a finding's items is said where nothing can be folded. */
const NAMED_ITEMS = 3

/** A claim with the first of its items. */
export function claimText({ claim, items = [] }: SectionFinding): string {
  if (items.length === 0) return claim
  const others = items.length - NAMED_ITEMS
  return `${claim}: ${items.slice(0, NAMED_ITEMS).join(", ")}${others > 0 ? ` and ${others} more` : ""}`
}

/** Whether a finding is contradicted and nobody says why. */
export function isUnexplained({ verdict, why }: SectionFinding): boolean {
  return verdict === "contradicts" && why === null
}

/** What stands behind a verdict: a contradiction without a named cause says so. */
export function reasonOf({ verdict, why }: SectionFinding): string {
  return why ?? (verdict === "contradicts" ? "no cause is named" : "")
}

/** The findings as a table; with more than one section, each with its own. */
export function findingsTable(findings: readonly SectionFinding[]): ReportTable {
  const hasReasons = findings.some((finding) => reasonOf(finding) !== "")
  return {
    columns: ["claim", "verdict", ...(hasReasons ? ["cause, or what would decide"] : [])],
    rows: findings.map((finding) => [claimText(finding), finding.verdict, ...(hasReasons ? [reasonOf(finding)] : [])]),
  }
}

/** The findings of the whole report, each with its section's title. */
export function summaryTable(document: ReportDocument): ReportTable {
  return {
    columns: ["section", "claim", "verdict", "cause, or what would decide"],
    rows: findingsOf(document).map((finding) => [
      finding.section.title,
      claimText(finding),
      finding.verdict,
      reasonOf(finding),
    ]),
  }
}

/** What each experiment took, and its seeds. */
export function spentTable({ chapters }: ReportDocument): ReportTable {
  return {
    columns: ["section", "runs", "seeds", "seconds of runs, all threads", "seconds in this process"],
    rows: chapters.map(({ section, spent: { runs, seeds, runSeconds, seconds } }) => [
      section.id,
      runs,
      seeds,
      runSeconds.toFixed(1),
      seconds.toFixed(1),
    ]),
  }
}

/** Versions and the machine. */
export function environmentTable({ environment }: ReportDocument): ReportTable {
  const { libraries, ...rest } = environment
  return {
    columns: ["what", "value"],
    rows: [...Object.entries(rest), ...Object.entries(libraries)].map(([name, value]) => [name, String(value)]),
  }
}
