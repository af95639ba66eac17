/** Loss-against-rate curves of a user's table: optimum and stability edge of each, and their exponents in the width. */
import { InputError } from "../inputError.js"
import { differingColumns, numberOf, type Row } from "../table/rows.js"
import { type Bracket, edgeBracket, optimumBracket, type Place, repeatDeviation } from "./bracket.js"
import { type Censored, type CensoredFit, censoredSlope } from "./censored.js"
import { groupsOf } from "./groups.js"
import { type GridPoint, rateAgainstWidth } from "./optimum.js"

/** Which columns of a table mean what. */
export interface CurveColumns {
  readonly width: string
  readonly rate: string
  readonly loss: string
  readonly seed: string
  /** Fits are made for each combination of these. */
  readonly by: readonly string[]
  /** The column that names the model: each has a curve of its own at each width. */
  readonly model: string | null
  /** A column, or a pattern over the model's name whose first group is the family: fits are made for each family. */
  readonly family: string | null
}

/** The runs of one model (or one width) and seed over a grid of rates. */
export interface Curve {
  readonly group: string
  readonly model: string | null
  readonly width: number
  readonly seed: string
  readonly optimum: Place
  readonly edge: Place
}

/** What one group of curves says. */
export interface CurveFit {
  readonly group: string
  /** `seeds`: Student over seeds, censored widths left out; `censored`: one curve a width or model, censored likelihood. */
  readonly method: "seeds" | "censored"
  /** The exponent of the optimal rate, by parabolas where the minimum lies inside the grid. */
  readonly exponent: number | null
  readonly low: number | null
  readonly high: number | null
  /** The same from the neighbours of each minimum alone: all that the grid shows without a model of the curve. */
  readonly bracketed: CensoredFit | null
  /** The exponent of the stability edge, interpolated where the grid holds it. */
  readonly edge: CensoredFit | null
  readonly widths: number
  readonly curves: number
  readonly censored: number
  readonly flags: readonly string[]
}

/** Curves and fits of a table. */
export interface CurveTable {
  /** The standard deviation of a loss over repeated runs; null if no run was repeated. */
  readonly noise: number | null
  readonly curves: readonly Curve[]
  readonly fits: readonly CurveFit[]
}

/**
 * The curves of a table, each group's exponents of the optimal rate and of the stability edge.
 *
 * @param share how far above a curve's least loss, in parts of it, a run may end within the stability edge.
 * @throws InputError for cells that are no numbers, a pattern that a model does not match, or a curve without a finite loss.
 */
export function curveTable(rows: readonly Row[], columns: CurveColumns, share: number): CurveTable {
  const { width, rate, loss, seed, model } = columns
  const groupOf = grouping(rows, columns)
  const groups = new Map([...groupsOf(rows, groupOf)].sort(([x], [y]) => x.localeCompare(y, "en", { numeric: true })))
  const curveRows = [...groups].flatMap(([group, members]) =>
    [...groupsOf(members, (row) => [model === null ? "" : row[model], row[width], row[seed] ?? ""].join(" "))].map(
      ([, own]) => ({ group, own }),
    ),
  )
  const gridOf = (own: readonly Row[]): GridPoint[] =>
    own.map((row) => ({ rate: numberOf(row, rate), value: numberOf(row, loss) }))
  const noise = repeatDeviation(
    curveRows.map(({ own }) => gridOf(own)),
    share,
  )
  const curves = curveRows.map(({ group, own }): Curve => {
    const grid = gridOf(own)
    const first = own[0]!
    return {
      group,
      model: model === null ? null : first[model]!,
      width: positive(first, width),
      seed: first[seed] ?? "",
      optimum: optimumBracket(grid, noise ?? 0),
      edge: edgeBracket(grid, share),
    }
  })
  const fits = [...groups].map(([group, members]) => {
    const key = [width, rate, ...(members[0]![seed] === undefined ? [] : [seed]), ...(model === null ? [] : [model])]
    return fitOf(
      group,
      curves.filter((curve) => curve.group === group),
      differingColumns(members, key, loss),
    )
  })
  return { noise, curves, fits }
}

/** The least widths that a slope should rest on. */
const FEW = 6

function fitOf(group: string, curves: readonly Curve[], mixed: readonly string[]): CurveFit {
  const widths = new Set(curves.map(({ width }) => width)).size
  const edges = curves.filter(({ optimum }) => optimum.rate === null)
  const seeds = new Set(curves.map(({ seed }) => seed)).size
  const hasModels = curves[0]!.model !== null
  const where = [...new Set(edges.map(({ model, width }) => (model === null ? `${width}` : `${model}`)))]
  const flags = [
    ...(widths < FEW ? ["few widths"] : []),
    ...(where.length > 0 ? [`minimum at the edge of the grid at ${where.join(", ")}`] : []),
    ...(mixed.length > 0 ? [`runs at one rate differ in ${mixed.join(", ")}: if that is a setting, see --by`] : []),
  ]
  const common = { group, widths, curves: curves.length, censored: edges.length }
  const edge = slopeOf(curves, ({ edge }) => edge.observed)
  const bracketed = slopeOf(curves, ({ optimum }) => optimum)
  if (seeds > 1 && !hasModels) {
    const located = curves.map(({ width, seed, optimum }) => ({
      width,
      seed: Number(seed),
      rate: optimum.rate ?? Math.max(optimum.low, Number.MIN_VALUE),
      censored: optimum.rate !== null ? null : optimum.low === 0 ? ("low" as const) : ("high" as const),
    }))
    const { slope, widths: perWidth } = rateAgainstWidth(located)
    const { low, high } = slope?.interval ?? { low: null, high: null }
    const used = perWidth.filter(({ censored }) => censored === 0).length
    return {
      ...common,
      method: "seeds",
      exponent: slope?.exponent ?? null,
      low,
      high,
      widths: used,
      bracketed,
      edge,
      flags,
    }
  }
  const fit = slopeOf(curves, ({ optimum }) => optimum.observed)
  return {
    ...common,
    method: "censored",
    exponent: fit?.exponent ?? null,
    low: fit?.interval.low ?? null,
    high: fit?.interval.high ?? null,
    bracketed,
    edge,
    flags: fit === null ? [...flags, "too little to fit a slope"] : flags,
  }
}

/** A censored slope over ln width; models that occur at several widths are compared within themselves. */
function slopeOf(curves: readonly Curve[], bracket: (curve: Curve) => Bracket): CensoredFit | null {
  const widthsOf = (name: string | null) => new Set(curves.filter(({ model }) => model === name).map((c) => c.width))
  const within = curves.some(({ model }) => model !== null && widthsOf(model).size > 1)
  return censoredSlope(
    curves.map((curve): Censored => {
      const { low, high } = bracket(curve)
      return { x: Math.log(curve.width), low: Math.log(low), high: Math.log(high), group: within ? curve.model! : "" }
    }),
  )
}

/** Names the group of a row: its family, then its values of the columns of --by. */
function grouping(rows: readonly Row[], { by, model, family }: CurveColumns): (row: Row) => string {
  const named = (row: Row, own: readonly string[]) => [...own, ...by.map((name) => row[name]!)].join(" / ") || "all"
  if (family === null) return (row) => named(row, [])
  if (rows[0]![family] !== undefined) return (row) => named(row, [row[family]!])
  const refuse = (given: string, allowed: string) =>
    new InputError({ field: "--family", given, allowed, example: "--family '^[^/]+/([A-Za-z]+)'" })
  if (model === null) throw refuse(family, "a column, or with --model a pattern over the model's name")
  let pattern: RegExp
  try {
    pattern = new RegExp(family)
  } catch {
    throw refuse(family, "a column, or a regular expression")
  }
  return (row) => {
    const match = pattern.exec(row[model]!)
    if (match === null) throw refuse(family, `a column, or a pattern that every model matches, ${row[model]} too`)
    return named(row, [match[1] ?? match[0]])
  }
}

function positive(row: Row, column: string): number {
  const value = numberOf(row, column)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InputError({ field: column, given: row[column], allowed: "a number > 0", example: "1024" })
}
