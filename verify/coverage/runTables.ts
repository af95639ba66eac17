/** Tables of runs with a known exponent of the best rate, as `fit` reads them: the coverage of its interval, false alarms of a regime. */
import { errorFunction } from "simple-statistics"
import { type CurveTable, curveTable } from "../../src/fit/curves.js"
import { regimeOf } from "../../src/fit/regime.js"
import type { Interval } from "../../src/fit/slope.js"
import type { Run } from "../../src/table/runs.js"
import { Table } from "../../src/table/table.js"

/** Draws the next so many standard normal numbers. */
type Draw = (count: number) => Float64Array

/** A kind of table: where its rates are, how often each is run, how sharply losses rise, and how much they vary. */
export interface TableKind {
  readonly name: string
  readonly rates: "grid" | "random"
  readonly seeds: number
  /** The loss is 1 + curvature x² (1 + skew tanh x) at x = ln(rate / best), and diverges from x = 2.9 on. */
  readonly curvature: number
  readonly skew: number
  /** Standard deviation of a run's loss; the least is 1. */
  readonly noise: number
}

const WIDTHS = [256, 512, 1024, 2048, 4096, 8192]
/** The best rate falls as n^EXPONENT. */
export const EXPONENT = -0.5
/** Eight rates, two a decade. */
const GRID = Array.from({ length: 8 }, (_, i) => 10 ** (i / 2 - 5))
const RANDOM_RATES = 20
const DIVERGED = 2.9
/** The width at whose best rate the regime is asked for. */
const ASKED = 1024

const kind = (rates: TableKind["rates"], seeds: number, steep: boolean, noise: number): TableKind => ({
  name: `${rates === "grid" ? `${GRID.length} rates, two a decade` : `${RANDOM_RATES} random rates`}${seeds > 1 ? `, ${seeds} seeds` : ""}, ${steep ? "steep" : "flat"} curves, ${100 * noise} % noise`,
  rates,
  seeds,
  ...(steep ? { curvature: 0.018, skew: 0.2 } : { curvature: 0.004, skew: 0.3 }),
  noise,
})

/** Steep curves rise by 2 % over a factor of three in the rate; flat ones, as in public tables of LoRA runs, by 0.4 %. */
export const TABLE_KINDS: readonly TableKind[] = [true, false].flatMap((steep) =>
  [0.0005, 0.002, 0.01].flatMap((noise) => [
    kind("grid", 1, steep, noise),
    kind("grid", 3, steep, noise),
    kind("random", 1, steep, noise),
  ]),
)

/** The interval that `fit` gives for one table; null where it identifies no exponent. */
export function tableInterval(draw: Draw, drawn: TableKind): Interval | null {
  const [fit] = drawTable(draw, drawn).table.fits
  const { low, high } = fit!
  return low === null || high === null || !fit!.identified ? null : { low, high, level: 0.95 }
}

/** Of so many tables, in how many the best rate of a width counts as beyond the stability edge. */
export function falseAlarms(draw: Draw, drawn: TableKind, tables: number): number {
  return Array.from({ length: tables }, () => {
    const { table, best } = drawTable(draw, drawn)
    const { edge } = table.curves.find(({ width }) => width === ASKED)!
    return regimeOf(best(ASKED), edge)
  }).filter((regime) => regime === "beyond").length
}

/** No column is asked for: the runs are made, not read. */
const NO_TABLE = new Table("made", { columns: ["width"], rows: [], places: [], placed: "row", notes: [] })

function drawTable(
  draw: Draw,
  { rates, seeds, curvature, skew, noise }: TableKind,
): { table: CurveTable; best: (width: number) => number } {
  // Where the law lies on the grid is another one in each table.
  const [shift] = uniform(draw, 1)
  const best = (width: number) => 2.9e-3 * (width / WIDTHS[0]!) ** EXPONENT * 10 ** ((shift! - 0.5) / 2)
  const runs = WIDTHS.flatMap((width) => {
    const grid = rates === "grid" ? GRID : uniform(draw, RANDOM_RATES).map((u) => 10 ** (3.7 * u - 5))
    return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) => {
      const errors = draw(grid.length)
      return grid.map((rate, i): Run => {
        const x = Math.log(rate / best(width))
        const value = 1 + curvature * x ** 2 * (1 + skew * Math.tanh(x)) + noise * errors[i]!
        const outcome =
          x > DIVERGED ? ({ kind: "diverged", word: "nan" } as const) : ({ kind: "value", value } as const)
        return { row: 0, by: [], model: null, width, rate, seed: String(seed), outcome }
      })
    })
  })
  return { table: curveTable(NO_TABLE, runs, { family: null, share: 0.02, goal: "min" }), best }
}

/** Uniform numbers between 0 and 1, from normal ones. */
function uniform(draw: Draw, count: number): number[] {
  return [...draw(count)].map((z) => (1 + errorFunction(z / Math.SQRT2)) / 2)
}
