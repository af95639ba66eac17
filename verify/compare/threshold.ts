import { Fraction } from "fraction.js"
import { type Terms, termsOf } from "../../src/derive/terms.js"
import { leadingExponent } from "../../src/fit/leading.js"
import { type Interval, slope, type WidthSample } from "../../src/fit/slope.js"
import { scheme } from "../../src/scheme/scheme.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import type { Budget } from "./budget.js"
import { expected } from "./claim.js"
import { measure, taskCount } from "./measure.js"
import type { Measurements } from "./measurements.js"
import type { Setting } from "./setting.js"

/** Settings along a rate n^c, and the quantities that are to stay O(1). */
export interface ThresholdFamily {
  readonly at: (c: string) => Setting
  readonly quantities: readonly string[]
  readonly budget: Budget
}

/** Where along c a threshold is looked for, and how often the bracket is halved. */
export interface Search {
  readonly low: Fraction
  readonly high: Fraction
  readonly halvings: number
}

/** The largest c at which a family's quantities stay O(1) in the budget's steps, as measured. */
export interface Threshold {
  /** Where the largest plain slope passes 0, interpolated within the last bracket: nothing derived enters. */
  readonly located: number
  /**
   * Where the intervals of the slopes begin and cease to contain 0, interpolated between the c that were looked at:
   * those of the plain slopes, which finite widths bend, and of the fits with the derived other terms, where these have
   * an end.
   */
  readonly interval: Interval
}

/** After the last halving one c on either side is looked at, so that both signs are seen away from 0. */
const ASIDE = new Fraction(1, 4)

/** One c that was looked at: the largest slope over quantities and steps, and the ends of its intervals. */
interface Look extends Slope {
  readonly c: number
}

interface Slope {
  readonly exponent: number
  readonly plain: Ends
  readonly fitted: Ends
}

type Ends = Pick<Interval, "low" | "high">

/**
 * The thresholds of the families by bisection, all families in step so that every sweep is wide.
 *
 * The bracket is halved by the sign of the largest plain slope. Levels are corrected for the number of families,
 * quantities and steps.
 */
export async function thresholds(
  families: readonly ThresholdFamily[],
  { low, high, halvings }: Search,
  options: SweepOptions,
): Promise<Threshold[]> {
  const brackets = families.map(() => ({ low, high }))
  const looks: Look[][] = families.map(() => [])
  const lookAt = async (at: readonly Fraction[]) => {
    const measurements = await measuredApart(families, at, options)
    for (const [k, family] of families.entries())
      looks[k]!.push(look(family, at[k]!, measurements[k]!, 1 - 0.05 / families.length))
  }
  const middles = () => brackets.map((bracket) => bracket.low.add(bracket.high).div(2))
  for (let i = 0; i < halvings; i++) {
    const at = middles()
    await lookAt(at)
    for (const [k, bracket] of brackets.entries())
      if (looks[k]!.at(-1)!.exponent > 0) brackets[k] = { ...bracket, high: at[k]! }
      else brackets[k] = { ...bracket, low: at[k]! }
  }
  for (const side of [-1, 1]) await lookAt(middles().map((c) => c.add(ASIDE.mul(side))))
  return brackets.map((bracket, k): Threshold => {
    const sorted = looks[k]!.sort((x, y) => x.c - y.c)
    const plain = passages(sorted.map((at) => ({ c: at.c, ...at.plain })))
    const fitted = passages(sorted.map((at) => ({ c: at.c, ...at.fitted })))
    const located = firstPassage(sorted.map(({ c, exponent }) => ({ c, value: exponent })))
    return {
      located: located ?? bracket.low.add(bracket.high).div(2).valueOf(),
      interval: {
        low: Math.min(plain.low, Number.isFinite(fitted.low) ? fitted.low : plain.low),
        high: Math.max(plain.high, Number.isFinite(fitted.high) ? fitted.high : plain.high),
        level: 0.95,
      },
    }
  })
}

/** Where the ends of intervals that grow with c pass 0. */
function passages(looks: readonly (Ends & { readonly c: number })[]): Interval {
  const low = firstPassage(looks.map(({ c, high }) => ({ c, value: high })))
  const high = firstPassage(looks.map(({ c, low: value }) => ({ c: -c, value: -value })).reverse())
  return { low: low ?? Number.NEGATIVE_INFINITY, high: -(high ?? Number.NEGATIVE_INFINITY), level: 0.95 }
}

/** How many tasks `thresholds` makes. */
export function thresholdTasks(families: readonly ThresholdFamily[], { low, halvings }: Search): number {
  return (halvings + 2) * families.reduce((sum, { at, budget }) => sum + taskCount([at(low.toFraction())], budget), 0)
}

/** The families measured at a c each; those of one budget together. */
async function measuredApart(
  families: readonly ThresholdFamily[],
  at: readonly Fraction[],
  options: SweepOptions,
): Promise<Measurements[]> {
  const results: Measurements[] = []
  for (const budget of new Set(families.map((family) => family.budget))) {
    const own = families.flatMap((family, k) => (family.budget === budget ? [k] : []))
    const settings = own.map((k) => families[k]!.at(at[k]!.toFraction()))
    for (const [i, measurement] of (await measure(settings, budget, options)).entries()) results[own[i]!] = measurement
  }
  return results
}

function look(
  { at, quantities, budget }: ThresholdFamily,
  c: Fraction,
  { samples }: Measurements,
  level: number,
): Look {
  const { definition, values } = at(c.toFraction())
  const terms = termsOf(scheme(definition, values))
  const steps = Array.from({ length: budget.steps }, (_, i) => i + 1)
  const tested = 1 - (1 - level) / (quantities.length * steps.length)
  const slopes = quantities.flatMap((quantity) =>
    steps.flatMap((t) => slopesOf(samples(quantity, t), terms(quantity, t), tested)),
  )
  const most = (of: (slope: Slope) => number) => Math.max(...slopes.map(of))
  const ends = (of: (slope: Slope) => Ends): Ends => {
    return { low: most((size) => of(size).low), high: most((size) => of(size).high) }
  }
  return {
    c: c.valueOf(),
    exponent: most(({ exponent }) => exponent),
    plain: ends(({ plain }) => plain),
    fitted: ends(({ fitted }) => fitted),
  }
}

/**
 * Where a value that grows with c passes 0: between the last c up to which all are below 0 and the next, interpolated
 * if that is finite; null where the first one is not below 0.
 */
function firstPassage(points: readonly { readonly c: number; readonly value: number }[]): number | null {
  const next = points.findIndex(({ value }) => !(value < 0))
  const [inside, outside] = [points[next - 1], points[next]]
  if (inside === undefined || outside === undefined) return null
  if (!Number.isFinite(outside.value)) return inside.c
  return inside.c + ((outside.c - inside.c) * -inside.value) / (outside.value - inside.value)
}

/**
 * The plain slope of a quantity and its intervals; nothing where it is exactly zero. Derived terms that grow by
 * themselves would decide the question, so fits are made only where all are below 0.
 */
function slopesOf(samples: readonly WidthSample[], terms: Terms, level: number): Slope[] {
  const values = samples.flatMap(({ meanSquares }) => meanSquares)
  if (values.every((value) => value === 0)) return []
  const beyond = { low: Number.POSITIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  // A run that left the finite numbers grew.
  if (!values.every(Number.isFinite)) return [{ exponent: beyond.low, plain: beyond, fitted: beyond }]
  const { exponent, interval } = slope(samples, { level })
  const known = expected(terms)
  const hasCompany = known.kind === "power" && known.others.length + known.corrections.length > 0
  const leavesOpen = hasCompany && (known.others[0] ?? -1) < 0
  return [
    { exponent, plain: interval, fitted: leavesOpen ? leadingExponent(samples, known)(level).interval : interval },
  ]
}
