/** The tables that a sweep of fine-tunings wrote, as a section reads them. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { type CensoredFit, censoredSlope } from "../../src/fit/censored.js"
import { type CurveTable, curveTable } from "../../src/fit/curves.js"
import { type GridPoint, thresholdBracket } from "../../src/fit/optimum.js"
import type { WidthSample } from "../../src/fit/slope.js"
import { groupsOf } from "../../src/table/groups.js"
import { measuredRuns } from "../../src/table/measured.js"
import { readTable } from "../../src/table/readTable.js"
import type { Recorded } from "../compare/measuredCheck.js"

/** A run of the sweep's table. */
export interface FamilyRun {
  readonly scheme: string
  readonly width: number
  readonly seed: number
  readonly rate: number
  /** NaN where the run diverged. */
  readonly perplexity: number
}

/** A size at an adapted layer. */
export interface FamilySize extends Omit<FamilyRun, "perplexity"> {
  readonly step: number
  readonly module: string
  readonly kind: string
  readonly quantity: string
  readonly value: number
}

/** What a sweep's folder holds. */
export interface FamilyTables {
  readonly runs: readonly FamilyRun[]
  readonly sizes: readonly FamilySize[]
  /** Optima and stability edges of the perplexity, by scheme. */
  readonly curves: CurveTable
  readonly computedBy: string
}

/** How far above a curve's least perplexity, in parts of it, a run may end within the stability edge. */
export const EDGE_SHARE = 0.1

/** @throws InputError for a folder without results.csv as `sweep --out` writes it; sizes may be missing. */
export async function familyTables(folder: string): Promise<FamilyTables> {
  const path = join(folder, "results.csv")
  const { table, runs } = await measuredRuns(path, {
    columns: {
      ...{ width: "width", rate: "rate", value: "perplexity", seed: "seed", by: ["scheme"], model: null },
      pool: ["checkpoint", "rate_b", "training_loss", "version", "outcome_step"],
    },
    rules: { at: "last", goal: "min", words: {} },
  })
  const curves = curveTable(table, runs, { family: null, share: EDGE_SHARE, goal: "min" })
  const column = (name: string) => table.column(name)
  const rows = [...table.cells.rows.keys()]
  return {
    curves,
    computedBy: [...new Set(rows.map((row) => column("computed_by").text(row)))].join(", "),
    runs: rows.map((row) => ({
      scheme: column("scheme").text(row),
      width: column("width").positive(row),
      seed: column("seed").number(row),
      rate: column("rate").positive(row),
      perplexity: Number(column("perplexity").text(row) || Number.NaN),
    })),
    sizes: await sizesIn(folder),
  }
}

async function sizesIn(folder: string): Promise<FamilySize[]> {
  const path = ["sites.parquet", "sites.csv"].map((name) => join(folder, name)).find((name) => existsSync(name))
  if (path === undefined) return []
  const table = await readTable(path)
  const column = (name: string) => table.column(name)
  return [...table.cells.rows.keys()].map((row) => ({
    scheme: column("scheme").text(row),
    width: column("width").positive(row),
    seed: column("seed").number(row),
    rate: column("rate").positive(row),
    step: column("step").number(row),
    module: column("module").text(row),
    kind: column("kind").text(row),
    quantity: column("quantity").text(row),
    value: Number(column("value").text(row)),
  }))
}

/** The size that Z_B may have at most where a rate counts as stable at feature level. */
export const LIMIT = 1

/** Of a scheme, where the rates' largest Z_B passes the limit, at each width, and the slope against the width. */
export interface FeatureThreshold {
  readonly widths: readonly { readonly width: number; readonly low: number; readonly high: number }[]
  readonly slope: CensoredFit | null
}

/** The largest rate with |Z_B| ≤ 1 at all recorded steps and layers, geometric mean over seeds, against the width. */
export function featureThreshold(sizes: readonly FamilySize[], scheme: string): FeatureThreshold {
  const own = sizes.filter((size) => size.scheme === scheme && size.quantity === "zB" && size.step > 0)
  const widths = [...groupsOf(own, ({ width }) => String(width)).values()].map((here) => {
    const grid = [...groupsOf(here, ({ rate }) => String(rate)).values()].map((at): GridPoint => {
      const largest = [...groupsOf(at, ({ seed }) => String(seed)).values()].map((of) =>
        Math.max(...of.map(({ value }) => (Number.isFinite(value) ? value : Number.POSITIVE_INFINITY))),
      )
      const value = Math.exp(largest.reduce((sum, each) => sum + Math.log(each), 0) / largest.length)
      return { rate: at[0]!.rate, value }
    })
    return { width: here[0]!.width, ...between(grid) }
  })
  const sorted = widths.sort((x, y) => x.width - y.width)
  const slope = censoredSlope(
    sorted.map(({ width, low, high }) => ({ x: Math.log(width), low: Math.log(low), high: Math.log(high), group: "" })),
    0.95,
  )
  return { widths: sorted, slope }
}

/** The rate at the limit, log-log interpolated, as both ends; or where it may lie beyond the grid. */
function between(grid: readonly GridPoint[]): { readonly low: number; readonly high: number } {
  const bracket = thresholdBracket(grid, LIMIT)
  if (bracket === null) {
    const rates = grid.map(({ rate }) => rate)
    return grid.every(({ value }) => value <= LIMIT)
      ? { low: Math.max(...rates), high: Number.POSITIVE_INFINITY }
      : { low: 0, high: Math.min(...rates) }
  }
  const { below, above } = bracket
  if (!Number.isFinite(above.value)) return { low: below.rate, high: above.rate }
  const part = Math.log(LIMIT / below.value) / Math.log(above.value / below.value)
  const rate = below.rate * (above.rate / below.rate) ** part
  return { low: rate, high: rate }
}

/** The rate that was measured at all widths and lies in the middle of those; null for none. */
export function commonRate(sizes: readonly FamilySize[], scheme: string): number | null {
  const own = sizes.filter((size) => size.scheme === scheme)
  const widths = new Set(own.map(({ width }) => width)).size
  const rates = [...groupsOf(own, ({ rate }) => String(rate)).values()]
    .filter((at) => new Set(at.map(({ width }) => width)).size === widths)
    .map((at) => at[0]!.rate)
    .sort((x, y) => x - y)
  return rates[Math.floor((rates.length - 1) / 2)] ?? null
}

/** What was recorded at a rate: of each kind of layer and quantity, at each step, the mean square over layers and seeds. */
export function recordedAt(sizes: readonly FamilySize[], scheme: string, rate: number): Recorded[] {
  const own = sizes.filter((size) => size.scheme === scheme && size.rate === rate && size.step > 0)
  const kinds = groupsOf(own, ({ kind, quantity, step }) => JSON.stringify([kind, quantity, step]))
  return [...kinds.values()].flatMap((here) => {
    const [{ kind, quantity, step }] = here as [FamilySize, ...FamilySize[]]
    const name = quantityOf(kind, quantity)
    if (name === null) return []
    const samples = [...groupsOf(here, ({ width }) => String(width)).values()]
      .map((at): WidthSample => {
        // Layers of one kind are one size: their mean square, a value each seed.
        const bySeed = [...groupsOf(at, ({ seed }) => String(seed)).values()]
        const squares = bySeed.map((of) => of.reduce((sum, { value }) => sum + value ** 2, 0) / of.length)
        return { width: at[0]!.width, meanSquares: squares }
      })
      .sort((x, y) => x.width - y.width)
    return [{ module: `${quantity} of ${kind}`, step, quantity: name, samples }]
  })
}

/** What a quantity of a layer is called in a block's derivation; null for what is not derived by name. */
function quantityOf(kind: string, quantity: string): string | null {
  const site = kind.replace(/_proj$/, "")
  return ["zA", "zB", "b", "delta1", "delta2", "delta3"].includes(quantity) ? `${quantity}[${site}]` : null
}
