/**
 * Tables of runs with known exponents of the best rate and of the stability edge, as `fit` reads them: what its
 * intervals hold.
 */
import { errorFunction } from "simple-statistics"
import type { Bracket } from "../../src/fit/bracket.js"
import { censoredSlope } from "../../src/fit/censored.js"
import { type CurveTable, curveTable } from "../../src/fit/curves.js"
import { regimeOf } from "../../src/fit/regime.js"
import { boundary } from "../../src/fit/search.js"
import type { Run } from "../../src/table/runs.js"
import { Table } from "../../src/table/table.js"
import { gaussianStream } from "../../src/train/random.js"
import { FIRST_SEED } from "../compare/seeds.js"

/** Draws the next so many standard normal numbers. */
type Draw = (count: number) => Float64Array

/** A kind of table: where its rates are, how often each is run, how sharply losses rise, and how much they vary. */
export interface TableKind {
  readonly name: string
  readonly rates: "grid" | "random"
  /** Runs at each rate: one, two of one seed, or one of each of three seeds. */
  readonly repeats: 1 | 2 | 3
  /** The loss is 1 + curvature x² (1 + skew tanh x) at x = ln(rate / best), and diverges from x = 2.9 on. */
  readonly curvature: number
  readonly skew: number
  /** Standard deviation of a run's loss at the best rate; the least is 1. */
  readonly noise: number
  /** The power of the rate that it grows with: 0 where it is even. Seeds then differ in their level too. */
  readonly growth: number
  /** The best rate, and the edge with it, fall as n^exponent. */
  readonly exponent: number
  /** The rates, where they are a grid. */
  readonly grid: readonly number[]
}

const WIDTHS = [256, 512, 1024, 2048, 4096, 8192]
/** Where nothing else is said. */
const EXPONENT = -0.5
/** Eight rates, two a decade. */
const GRID = Array.from({ length: 8 }, (_, i) => 10 ** (i / 2 - 5))
/** Grids of few rates, whose curves tell their shape together, or not at all. */
const [FIVE, FOUR, THREE] = [GRID.slice(2, 7), GRID.slice(3, 7), [2e-4, 2e-3, 2e-2]]
const RANDOM_RATES = 20
const DIVERGED = 2.9
/** The width at whose best rate the regime is asked for. */
const ASKED = 1024
/** The edge is where the loss is this part of the least above it. */
const EDGE_SHARE = 0.02

/** Seeds' levels differ by as many standard deviations of a run at the best rate. */
const LEVELS = 10

const REPEATS = { 1: "", 2: ", each twice", 3: ", three seeds" } as const

const kind = (
  rates: TableKind["rates"],
  repeats: TableKind["repeats"],
  steep: boolean,
  noise: number,
  growth = 0,
  { exponent = EXPONENT, grid = GRID }: Partial<Pick<TableKind, "exponent" | "grid">> = {},
): TableKind => ({
  name: `${rates === "grid" ? `${grid.length} rates, ${grid === THREE ? "one" : "two"} a decade` : `${RANDOM_RATES} random rates`}${REPEATS[repeats]}, ${steep ? "steep" : "flat"} curves, ${100 * noise} % noise${growth === 0 ? "" : ` that grows as rate^${growth}`}${exponent === EXPONENT ? "" : `, n^${exponent}`}`,
  rates,
  repeats,
  ...(steep ? { curvature: 0.018, skew: 0.2 } : { curvature: 0.004, skew: 0.3 }),
  noise,
  growth,
  exponent,
  grid,
})

/**
 * Steep curves rise by 2 % over a factor of three in the rate; flat ones, as in public tables of LoRA runs, by 0.4 %.
 */
export const TABLE_KINDS: readonly TableKind[] = [
  ...[true, false].flatMap((steep) =>
    [0.0005, 0.002, 0.01].flatMap((noise) => [
      kind("grid", 1, steep, noise),
      kind("grid", 2, steep, noise),
      kind("grid", 3, steep, noise),
      kind("random", 1, steep, noise),
    ]),
  ),
  ...([1, 2, 3] as const).flatMap((repeats) => [
    kind("grid", repeats, true, 0.002, 1.5),
    kind("grid", repeats, false, 0.0005, 1),
  ]),
  kind("random", 1, true, 0.002, 1),
  // Slow enough that all widths have their places between the same two rates.
  ...[GRID, FIVE, FOUR, THREE].flatMap((grid) =>
    ([1, 3] as const).map((repeats) => kind("grid", repeats, true, 0.002, 0, { exponent: -0.1, grid })),
  ),
  kind("random", 1, true, 0.002, 0, { exponent: -0.1 }),
]

/** How often 95 % intervals held what they should, and how long they are. */
export interface Held {
  readonly of: number
  /** Those that say nothing count as holding it. */
  readonly held: number
  readonly undecided: number
  readonly medianWidth: number
}

/** What many tables of one kind show. */
export interface TableCoverage {
  readonly name: string
  readonly tables: number
  /** Whether noise grows and no run was repeated to tell it. */
  readonly isUnseen: boolean
  /** The interval of the exponent of the best rate. */
  readonly optimum: Held
  /** The same by the scatter about the line alone, without what is known of the noise. */
  readonly byScatter: Held
  /** The interval of the exponent of the stability edge. */
  readonly edge: Held
  /** The rates that `fit` says the best rate of a width lies between, of all widths; widths in ln(rate). */
  readonly optimumBetween: Held
  /** The same of the edge. */
  readonly edgeBetween: Held
  /** Tables in which the true best rate counts as beyond the edge. */
  readonly beyond: number
}

/** The intervals and regimes of so many tables of a kind; the same numbers for the same kind. */
export function tableCoverage(drawn: TableKind, tables: number): TableCoverage {
  // The shared shape of curves was chosen on other draws than these.
  const fill = gaussianStream(FIRST_SEED.intervalCoverage, `tables ${drawn.name}`, 1)
  const draw = (count: number) => fill(new Float64Array(count))
  const edgeAt = boundary((x) => lossAt(drawn, x) <= 1 + EDGE_SHARE, 0, DIVERGED, 50)
  const optimum = new Count()
  const byScatter = new Count()
  const edge = new Count()
  const optimumBetween = new Count()
  const edgeBetween = new Count()
  let beyond = 0
  for (let i = 0; i < tables; i++) {
    const { table, best } = drawTable(draw, drawn)
    const { low, high, identified, edge: slope } = table.fits[0]!
    optimum.add(identified ? { low: low!, high: high! } : null, drawn.exponent)
    const line = censoredSlope(
      table.curves.map(({ width, optimum: { observed } }) => ({
        x: Math.log(width),
        ...inLogarithms(observed),
        group: "",
      })),
    )
    byScatter.add(line?.identified ? line.interval : null, drawn.exponent)
    edge.add(slope?.identified ? slope.interval : null, drawn.exponent)
    for (const curve of table.curves) {
      const rate = Math.log(best(curve.width))
      optimumBetween.add(inLogarithms(curve.optimum), rate)
      edgeBetween.add(inLogarithms(curve.edge), rate + edgeAt)
    }
    const asked = table.curves.find(({ width }) => width === ASKED)!
    if (regimeOf(best(ASKED), asked.edge) === "beyond") beyond++
  }
  return {
    name: drawn.name,
    tables,
    isUnseen: drawn.growth > 0 && drawn.repeats === 1,
    optimum: optimum.result(),
    byScatter: byScatter.result(),
    edge: edge.result(),
    optimumBetween: optimumBetween.result(),
    edgeBetween: edgeBetween.result(),
    beyond,
  }
}

class Count {
  readonly #widths: number[] = []
  #of = 0
  #held = 0
  #undecided = 0

  add(interval: Bracket | null, truth: number): void {
    this.#of++
    if (interval === null) this.#undecided++
    if (interval === null || (interval.low <= truth && truth <= interval.high)) this.#held++
    if (interval !== null) this.#widths.push(interval.high - interval.low)
  }

  result(): Held {
    const sorted = this.#widths.sort((x, y) => x - y)
    const medianWidth = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
    return { of: this.#of, held: this.#held, undecided: this.#undecided, medianWidth }
  }
}

function inLogarithms({ low, high }: Bracket): Bracket {
  return { low: Math.log(low), high: Math.log(high) }
}

function lossAt({ curvature, skew }: TableKind, x: number): number {
  return 1 + curvature * x ** 2 * (1 + skew * Math.tanh(x))
}

/** No column is asked for: the runs are made, not read. */
const NO_TABLE = new Table("made", { columns: ["width"], rows: [], places: [], placed: "row", notes: [] })

function drawTable(draw: Draw, drawn: TableKind): { table: CurveTable; best: (width: number) => number } {
  const { rates, repeats, noise, growth, exponent } = drawn
  // Where the law lies on the grid is another one in each table.
  const [shift] = uniform(draw, 1)
  const best = (width: number) => 2.9e-3 * (width / WIDTHS[0]!) ** exponent * 10 ** ((shift! - 0.5) / 2)
  const runs = WIDTHS.flatMap((width) => {
    const grid = rates === "grid" ? drawn.grid : uniform(draw, RANDOM_RATES).map((u) => 10 ** (3.7 * u - 5))
    return Array.from({ length: repeats }, (_, k) => k).flatMap((k) => {
      const errors = draw(grid.length)
      const level = growth === 0 || repeats < 3 ? 0 : LEVELS * noise * draw(1)[0]!
      return grid.map((rate, i): Run => {
        const x = Math.log(rate / best(width))
        const value = lossAt(drawn, x) + level + noise * Math.exp(growth * x) * errors[i]!
        const outcome =
          x > DIVERGED ? ({ kind: "diverged", word: "nan" } as const) : ({ kind: "value", value } as const)
        return { row: 0, by: [], model: null, width, rate, seed: repeats === 3 ? String(k) : "", outcome }
      })
    })
  })
  return { table: curveTable(NO_TABLE, runs, { family: null, share: EDGE_SHARE, goal: "min" }), best }
}

/** Uniform numbers between 0 and 1, from normal ones. */
function uniform(draw: Draw, count: number): number[] {
  return [...draw(count)].map((z) => (1 + errorFunction(z / Math.SQRT2)) / 2)
}
