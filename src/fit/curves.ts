/** Loss-against-rate curves of a user's table: optimum and stability edge of each, and their exponents in the width. */
import { InputError } from "../inputError.js"
import { groupsOf } from "../table/groups.js"
import type { Run } from "../table/runs.js"
import type { Column, Table } from "../table/table.js"
import type { Bracket, RatePlace } from "./bracket.js"
import { type Censored, type CensoredFit, censoredSlope } from "./censored.js"
import { curvePlaces, leftNoise, minimaTogether, type Noise, toldNoise } from "./curvePlaces.js"
import { noiseGrowth } from "./growth.js"
import { type SeededPoint, withoutLevels } from "./seeds.js"
import { overReadings } from "./skews.js"

/** How runs are put together to curves and fits. */
export interface CurveRules {
  /** A column, or a pattern over the model's name whose first group is the family: fits are made for each family. */
  readonly family: string | null
  /** How far above a curve's least loss, in parts of it, a run may end within the stability edge. */
  readonly share: number
  /** Which losses are better; scores that are better when larger count as their negatives. */
  readonly goal: "min" | "max"
}

/** The runs of one model (or one width) over a grid of rates, whatever their seeds. */
export interface Curve {
  readonly group: string
  readonly model: string | null
  readonly width: number
  /** The seed that all its runs share; empty where there is none or there are several. */
  readonly seed: string
  /** How many runs it has: those with a loss, and those that diverged. */
  readonly runs: number
  readonly optimum: RatePlace
  readonly edge: RatePlace
}

/** What one group of curves says. */
export interface CurveFit {
  readonly group: string
  /** One curve a width or model, by a likelihood that knows of minima beyond the grid. */
  readonly method: "censored"
  /** The exponent of the optimal rate. */
  readonly exponent: number | null
  readonly low: number | null
  readonly high: number | null
  /** Whether the data bound the exponent on both sides: else it is no number to act on. */
  readonly identified: boolean
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
  /** null where nothing was repeated and the rates are too few to tell a curve's shape from noise. */
  readonly noise: Noise | null
  readonly curves: readonly Curve[]
  readonly fits: readonly CurveFit[]
}

/**
 * The curves of a table's runs, each group's exponents of the optimal rate and of the stability edge.
 *
 * Runs of one width are one curve, their seeds repetitions: widths are the units of the interval. A seed that shifts
 * the whole law leaves its slope alone, and what all seeds of a width share, such as where its optimum falls between
 * the grid's rates, is no less an error of the slope for being shared. So seeds may be crossed with widths, nested in
 * them, one a run, or missing at some.
 *
 * @param mixed columns in which some repeated runs differ.
 * @throws InputError for a pattern that a model does not match.
 */
export function curveTable(
  table: Table,
  runs: readonly Run[],
  { family, share, goal }: CurveRules,
  mixed: readonly string[] = [],
): CurveTable {
  const groupOf = grouping(table, family)
  const ended = runs.filter(({ outcome }) => outcome.kind === "value" || outcome.kind === "diverged")
  const groups = [...groupsOf(ended, groupOf)].sort(([x], [y]) => x.localeCompare(y, "en", { numeric: true }))
  const curvesOf = groups.flatMap(([group, members]) =>
    [...groupsOf(members, ({ model, width }) => JSON.stringify([model, width])).values()].map((own) => ({
      group,
      own,
      points: pointsOf(own, goal),
    })),
  )
  const growing = noiseGrowth(curvesOf.map(({ points }) => points))
  const parts = curvesOf.map(({ points, ...rest }) => ({ ...rest, grid: withoutLevels(points, growing) }))
  const grids = parts.map(({ grid }) => grid)
  const told: Noise | null = growing === null ? toldNoise(grids, share) : { ...growing, from: "repeats" }
  const byGroup = [...groupsOf(parts, ({ group }) => group)].map(([group, own]) => ({
    group,
    own,
    together: minimaTogether(
      own.map(({ grid }) => grid),
      told,
    ),
  }))
  const noise =
    told ??
    leftNoise(
      byGroup.map(({ together }) => together),
      grids,
    )
  const found = byGroup.map(({ group, own: members, together: { minima } }) => {
    const curves = members.map(({ own, grid }, i): Curve => {
      const [{ model, width, seed }] = own as [Run, ...Run[]]
      const shared = own.every((run) => run.seed === seed) ? seed : ""
      return { group, model, width, seed: shared, runs: own.length, ...curvePlaces(grid, noise, share, minima[i]!) }
    })
    return { curves, fit: fitOf(group, curves, noise?.degrees ?? null, mixed) }
  })
  return { noise, curves: found.flatMap(({ curves }) => curves), fits: found.map(({ fit }) => fit) }
}

/** A curve's runs: losses against rates, and NaN where they diverged. */
function pointsOf(runs: readonly Run[], goal: "min" | "max"): SeededPoint[] {
  return runs.map(({ rate, seed, outcome }) => ({
    seed,
    rate: rate!,
    value: outcome.kind === "value" ? (goal === "min" ? outcome.value : -outcome.value) : Number.NaN,
  }))
}

/** The least widths that a slope should rest on. */
const FEW = 6

function fitOf(
  group: string,
  curves: readonly Curve[],
  errorDegrees: number | null,
  mixed: readonly string[],
): CurveFit {
  const widths = new Set(curves.map(({ width }) => width)).size
  const named = (some: readonly Curve[]) => [
    ...new Set(some.map(({ model, width }) => (model === null ? `${width}` : `${model}`))),
  ]
  const nowhere = curves.filter(({ edge, optimum }) => optimum.rate === null && edge.low === 0)
  const beyond = curves.filter((curve) => curve.optimum.rate === null && !nowhere.includes(curve))
  const fit = slopeOverReadings(curves, ({ optimum }) => optimum, errorDegrees)
  const flags = [
    ...(widths < FEW ? ["few widths"] : []),
    ...(beyond.length > 0 ? [`minimum at the edge of the grid at ${named(beyond).join(", ")}`] : []),
    ...(nowhere.length > 0 ? [`every run diverged at ${named(nowhere).join(", ")}`] : []),
    ...(mixed.length > 0
      ? [`some runs at one rate differ in ${mixed.join(", ")}: if that is a setting, see --by`]
      : []),
    ...(fit === null ? ["too little to fit a slope"] : []),
    ...(fit !== null && !fit.identified ? ["not identified: these runs do not bound the exponent"] : []),
  ]
  return {
    group,
    method: "censored",
    exponent: fit?.exponent ?? null,
    low: fit?.interval.low ?? null,
    high: fit?.interval.high ?? null,
    identified: fit?.identified ?? false,
    bracketed: slopeOf(curves, ({ optimum }) => optimum),
    edge: slopeOverReadings(curves, ({ edge }) => edge),
    widths,
    curves: curves.length,
    censored: beyond.length + nowhere.length,
    flags,
  }
}

/** A slope of places, whose interval reaches over all readings of the curves. */
function slopeOverReadings(
  curves: readonly Curve[],
  placeOf: (curve: Curve) => RatePlace,
  errorDegrees: number | null = null,
): CensoredFit | null {
  const observed = (curve: Curve, side: 0 | 1 | null) => {
    const { observed, error, readings } = placeOf(curve)
    if (side === null || readings === undefined) return { ...observed, error }
    return { low: readings[side], high: readings[side] }
  }
  const plain = slopeOf(curves, (curve) => observed(curve, null), errorDegrees)
  if (!curves.some((curve) => placeOf(curve).readings !== undefined)) return plain
  const sides = ([0, 1] as const).map((side) => slopeOf(curves, (curve) => observed(curve, side), errorDegrees))
  return overReadings(plain, sides)
}

/** A censored slope over ln width; models that occur at several widths are compared within themselves. */
function slopeOf(
  curves: readonly Curve[],
  bracket: (curve: Curve) => Bracket & { readonly error?: number | undefined },
  errorDegrees: number | null = null,
): CensoredFit | null {
  const widths = new Map<string | null, Set<number>>()
  for (const { model, width } of curves) widths.set(model, (widths.get(model) ?? new Set()).add(width))
  const within = [...widths].some(([model, own]) => model !== null && own.size > 1)
  const observations = curves.map((curve): Censored => {
    const { low, high, error } = bracket(curve)
    const group = within ? curve.model! : ""
    return { x: Math.log(curve.width), low: Math.log(low), high: Math.log(high), group, error }
  })
  return censoredSlope(observations, LEVEL, errorDegrees)
}
const LEVEL = 0.95

/** Names the group of a run: its family, then its values of the columns of --by. */
function grouping(table: Table, family: string | null): (run: Run) => string {
  const named = ({ by }: Run, own: readonly string[]) => [...own, ...by].join(" / ") || "all"
  if (family === null) return (run) => named(run, [])
  if (table.has(family)) {
    const column: Column = table.column(family)
    return (run) => named(run, [column.label(run.row)])
  }
  const refuse = (given: string, allowed: string) =>
    new InputError({ field: "--family", given, allowed, example: "--family '^[^/]+/([A-Za-z]+)'" })
  let pattern: RegExp
  try {
    pattern = new RegExp(family)
  } catch {
    throw refuse(family, "a column, or a regular expression")
  }
  return (run) => {
    if (run.model === null) throw refuse(family, "a column, or with --model a pattern over the model's name")
    const match = pattern.exec(run.model)
    if (match === null) throw refuse(family, `a column, or a pattern that every model matches, ${run.model} too`)
    return named(run, [match[1] ?? match[0]])
  }
}
