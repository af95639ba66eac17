/**
 * Real runs: what a table of losses against learning rates over models, ranks and rates says of the optimal rate and of
 * the stability edge against width and rank, and what it cannot say of the theory.
 */
import type { CensoredFit } from "../../src/fit/censored.js"
import { type CurveRules, type CurveTable, curveTable } from "../../src/fit/curves.js"
import { curveFitTable, curvesTable, readings } from "../../src/report/fit.js"
import type { Section, SectionFinding, SectionPart } from "../../src/report/section.js"
import { measuredRuns, type TableReading } from "../../src/table/measured.js"
import type { Experiment } from "../experiment.js"
import { boundOfRate } from "../teacherStudent/boundOfRate.js"

/** A table of LoRA runs, and how it is read. */
export interface RealTableSource {
  readonly path: string
  readonly reading: TableReading
  readonly rules: CurveRules
}

/**
 * What the table says: exponents against width a family and rank, all models together, and against rank within models.
 */
export interface RealTable {
  readonly byFamily: CurveTable
  readonly together: CurveTable
  readonly againstRank: CurveTable
  /** How the table was read, a sentence each. */
  readonly read: readonly string[]
  /** The stability edge: no more than this share above a curve's least loss. */
  readonly share: number
}

/** @throws InputError as `measuredRuns` and `curveTable`. */
export async function readRealTable({ path, reading, rules }: RealTableSource): Promise<RealTable> {
  const { columns } = reading
  const { table, runs, read } = await measuredRuns(path, reading)
  const againstRank = await measuredRuns(path, {
    ...reading,
    columns: { ...columns, width: columns.by[0] ?? "rank", by: [], pool: [...(columns.pool ?? []), columns.width] },
  })
  return {
    byFamily: curveTable(table, runs, rules),
    together: curveTable(table, runs, { ...rules, family: null }),
    againstRank: curveTable(againstRank.table, againstRank.runs, rules),
    read,
    share: rules.share,
  }
}

/**
 * The experiment on a user's table; the path is the user's, the table no part of the project.
 *
 * @param source null where none was given: the section then says how to give one.
 */
export function realTable(source: RealTableSource | null): Experiment {
  return {
    id: "real-table",
    title: "Real runs",
    isOneSize: true,
    tasks: () => (source === null ? 0 : 1),
    run: async (_effort, { onFinished }) => {
      if (source === null) return withoutTable()
      const table = await readRealTable(source)
      onFinished?.()
      return section(table)
    },
  }
}

const head = { id: "real-table", title: "Real runs" }
const question = "What does a table of real runs say of the width exponents, and what can it not say?"
const claim =
  "Whether public runs of language models show the width exponents of the theory's bounds (-1/2 for Init[A], -1 for Init[B], feature level, fixed rank)."

function withoutTable(): Section {
  const text =
    "No table was given. `reproduce --table runs.csv` adds this section from a table with the columns model, hidden_size, rank, learning_rate and test_nll, or others named by --width, --rate, --loss, --model, --by and --family as for `fit`."
  const answer = { question, text: "Nothing: no table was given." }
  return { ...head, answer, claim, parts: [{ kind: "text", text }], findings: [], data: {} }
}

function section({ byFamily, together, againstRank, read, share }: RealTable): Section {
  const { curves, noise } = byFamily
  const hidden = curves.filter(({ optimum }) => optimum.rate === null).length
  const edges = curves.filter(({ edge }) => edge.rate !== null).length
  const fitted = (table: CurveTable) => table.fits.filter(({ exponent, edge }) => exponent !== null || edge !== null)
  const left = byFamily.fits.length - fitted(byFamily).length
  const table = (caption: string, from: CurveTable): SectionPart => {
    const { columns, rows } = curveFitTable(fitted(from))
    return {
      kind: "table",
      caption,
      table: { columns: columns.slice(0, -1), rows: rows.map((row) => row.slice(0, -1)) },
    }
  }
  return {
    ...head,
    answer: {
      question,
      text: `It has ${curves.length} curves of loss against rate; the least loss lies inside the grid at ${curves.length - hidden} of them. The slopes below are of these models, which differ in more than the width: they are no verdict on the theory.`,
    },
    claim,
    parts: [
      {
        kind: "text",
        text: `${curves.length} curves of loss against rate; at ${hidden} the least loss is at the edge of the grid, at ${edges} the stability edge is inside it. ${left} of ${byFamily.fits.length} pairs of family and rank have too few widths or curves for a slope.`,
      },
      table("Optimal rate and stability edge against width, a family and rank", byFamily),
      table("The same, all models together: families are mixed", together),
      table("Against rank, each model compared within itself", againstRank),
      {
        kind: "text",
        text: [...read, ...readings(share, noise)].map((text) => `- ${text}`).join("\n"),
      },
    ],
    findings: together.fits.flatMap(({ group, exponent, low, high, edge }) => [
      ...(exponent === null || low === null || high === null
        ? []
        : [finding(`optimal rate against width at rank ${group}`, low, high)]),
      ...edgeFinding(group, edge),
    ]),
    data: {
      "real-table-slopes": curveFitTable(byFamily.fits),
      "real-table-slopes-together": curveFitTable(together.fits),
      "real-table-slopes-rank": curveFitTable(againstRank.fits),
      "real-table-curves": curvesTable(curves),
    },
  }
}

function edgeFinding(group: string, edge: CensoredFit | null): SectionFinding[] {
  if (edge === null) return []
  return [finding(`stability edge against width at rank ${group}`, edge.interval.low, edge.interval.high)]
}

/**
 * A reading of a slope beside the bounds. It is never a verdict on the theory: an optimum is no stability bound, and
 * over models width comes with depth, data and family.
 */
function finding(what: string, low: number, high: number): SectionFinding {
  const text = (end: number) => (Number.isFinite(end) ? end.toFixed(2) : end < 0 ? "-inf" : "inf")
  const where = (["Init[A]", "Init[B]"] as const).map((scheme) => {
    const bound = boundOfRate({ scheme, readout: 1 / 2, level: "features" }).valueOf()
    return `${low <= bound && bound <= high ? "includes" : "excludes"} ${bound} (${scheme})`
  })
  return {
    claim: `${what}: 95 % interval [${text(low)}, ${text(high)}], which ${where.join(" and ")}`,
    verdict: "inconclusive",
    why: "models of different width differ in depth, data and family: one architecture at six widths or more, four rates a decade beyond both ends of the optimum, would decide",
  }
}
