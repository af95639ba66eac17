/**
 * Real runs: what a table of losses against learning rates over models, ranks and rates says of the optimal rate and of the
 * stability edge against width and rank, and what it cannot say of the theory.
 */
import type { CensoredFit } from "../../src/fit/censored.js"
import { type CurveColumns, type CurveTable, curveTable } from "../../src/fit/curves.js"
import { curveFitTable, curvesTable, readings } from "../../src/report/fit.js"
import type { Finding, Part, Section } from "../../src/report/section.js"
import { readRows } from "../../src/table/rows.js"
import type { Experiment } from "../experiment.js"
import { boundOfRate } from "../teacherStudent/rateBounds.js"

/** The columns of a table of LoRA runs: model, hidden_size, rank, learning_rate, test_nll; the family is in the model's name. */
const LORA_TABLE: CurveColumns = {
  width: "hidden_size",
  rate: "learning_rate",
  loss: "test_nll",
  seed: "seed",
  by: ["rank"],
  model: "model",
  family: "^[^/]+/([A-Za-z]+)",
}

/** The stability edge: no more than this share above a curve's least loss. */
const EDGE_SHARE = 0.02

/** What the table says: exponents against width a family and rank, all models together, and against rank within models. */
export interface RealTable {
  readonly byFamily: CurveTable
  readonly together: CurveTable
  readonly againstRank: CurveTable
}

/** @throws InputError as `readRows` and `curveTable`. */
export async function readRealTable(path: string, columns: CurveColumns = LORA_TABLE): Promise<RealTable> {
  const { width, rate, loss, by, model } = columns
  const rows = await readRows(path, [width, rate, loss, ...by, ...(model === null ? [] : [model])])
  return {
    byFamily: curveTable(rows, columns, EDGE_SHARE),
    together: curveTable(rows, { ...columns, family: null }, EDGE_SHARE),
    againstRank: curveTable(rows, { ...columns, width: by[0] ?? "rank", by: [] }, EDGE_SHARE),
  }
}

/**
 * The experiment on a user's table; the path is the user's, the table no part of the project.
 *
 * @param path null where none was given: the section then says how to give one.
 */
export function realTable(path: string | null, columns: CurveColumns = LORA_TABLE): Experiment {
  return {
    id: "real-table",
    title: "Real runs",
    tasks: () => (path === null ? 0 : 1),
    run: async (_effort, { onFinished }) => {
      if (path === null) return withoutTable()
      const table = await readRealTable(path, columns)
      onFinished?.()
      return section(table)
    },
  }
}

const head = { id: "real-table", title: "Real runs" }
const claim =
  "Whether public runs of language models show the width exponents of the theory's bounds (-1/2 for Init[A], -1 for Init[B], feature level, fixed rank)."

function withoutTable(): Section {
  const text =
    "No table was given. `reproduce --table runs.csv` adds this section from a table with the columns model, hidden_size, rank, learning_rate and test_nll; `fit` does the same for a table with other columns."
  return { ...head, claim, parts: [{ kind: "text", text }], findings: [], data: {} }
}

function section({ byFamily, together, againstRank }: RealTable): Section {
  const { curves, noise } = byFamily
  const hidden = curves.filter(({ optimum }) => optimum.rate === null).length
  const edges = curves.filter(({ edge }) => edge.rate !== null).length
  const fitted = (table: CurveTable) => table.fits.filter(({ exponent, edge }) => exponent !== null || edge !== null)
  const left = byFamily.fits.length - fitted(byFamily).length
  const table = (caption: string, from: CurveTable): Part => {
    const { columns, rows } = curveFitTable(fitted(from))
    return {
      kind: "table",
      caption,
      table: { columns: columns.slice(0, -1), rows: rows.map((row) => row.slice(0, -1)) },
    }
  }
  return {
    ...head,
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
        text: readings(EDGE_SHARE, noise)
          .map((text) => `- ${text}`)
          .join("\n"),
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

function edgeFinding(group: string, edge: CensoredFit | null): Finding[] {
  if (edge === null) return []
  return [finding(`stability edge against width at rank ${group}`, edge.interval.low, edge.interval.high)]
}

/**
 * A reading of a slope beside the bounds. It is never a verdict on the theory: an optimum is no stability bound, and over models
 * width comes with depth, data and family.
 */
function finding(what: string, low: number, high: number): Finding {
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
