import { Fraction } from "fraction.js"
import type { Derivation } from "../../src/derive/derive.js"
import { Affine } from "../../src/exponent/affine.js"
import type { Condition } from "../../src/exponent/condition.js"
import type { Window } from "../../src/exponent/polygon.js"
import { type SlopeFit, slope, type WidthSample } from "../../src/fit/slope.js"
import type { OptimiserName } from "../../src/program/optimiser.js"
import type { Judgement } from "../../src/report/judgement.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { optimiserText } from "../../src/scheme/definition.js"
import type { SchemeDefinition } from "../../src/scheme/scheme.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import type { Budget } from "../compare/budget.js"
import { judgeMeasurements, type MeasuredClaim } from "../compare/claim.js"
import { decidingBudget, intervalOf } from "../compare/deciding.js"
import { derivationOf } from "../compare/derivationOf.js"
import { measure } from "../compare/measure.js"
import type { Measurements } from "../compare/measurements.js"
import type { Setting } from "../compare/setting.js"

/** The grid, its budget, and the update rules under which it is measured. */
export interface PlaneSize {
  /** Between neighbouring points, 1/k. */
  readonly step: Fraction
  readonly budget: Budget
  readonly optimisers: readonly OptimiserName[]
}

/** The part of the plane that is looked at: both sets' corners lie inside. */
export const WINDOW: Window = [
  { symbol: "cA", low: new Fraction(-2), high: new Fraction(0) },
  { symbol: "cB", low: new Fraction(-1), high: new Fraction(1) },
]

/** The two starts of the paper with a rate for each factor. */
export const PLANES: readonly { readonly name: string; readonly definition: SchemeDefinition }[] = [
  { name: "Init[A]", definition: schemeNamed("lora-plus") },
  {
    name: "Init[B]",
    definition: {
      ...schemeNamed("init-b"),
      name: "init-b-two-rates",
      title: "Init[B] with two rates",
      rates: { A: "cA", B: "cB" },
      example: schemeNamed("lora-plus").example!,
    },
  },
]

/** What a point may be, one or both. */
export const CLASSES = ["stable", "efficient"] as const
/** A class of points. */
export type Class = (typeof CLASSES)[number]
/** What is measured at a point. */
export const QUANTITIES = ["zB", "delta1", "delta2"] as const

/** One point of the grid: derived and measured classes, and where they differ what the intervals say. */
export interface PlanePoint {
  readonly cA: Fraction
  readonly cB: Fraction
  /** Plain slopes at each step; −∞ where every value is zero. */
  readonly slopes: Readonly<Record<(typeof QUANTITIES)[number], readonly number[]>>
  readonly derived: Readonly<Record<Class, boolean>>
  readonly measured: Readonly<Record<Class, boolean>>
  readonly claims: readonly MeasuredClaim[]
}

/** One scheme's plane under one update rule. */
export interface Plane {
  readonly name: string
  readonly optimiser: string
  readonly derivation: Derivation
  readonly points: readonly PlanePoint[]
}

/** The settings of a grid over the window. */
export function grid(step: Fraction, definition: SchemeDefinition): Setting[] {
  const [along, up] = WINDOW.map(({ low, high }) =>
    Array.from({ length: Number(high.sub(low).div(step).valueOf()) + 1 }, (_, i) => low.add(step.mul(i)).toFraction()),
  )
  return along!.flatMap((cA) => up!.map((cB) => ({ definition, values: { cA, cB } })))
}

/** One plane measured and classified. */
export async function measuredPlane(
  name: string,
  definition: SchemeDefinition,
  { step, budget }: PlaneSize,
  options: SweepOptions,
): Promise<Plane> {
  const derivation = derivationOf(definition)
  const settings = grid(step, definition)
  const measurements = await measure(settings, budget, options)
  const tolerance = step.valueOf() / 2
  const points = settings.map(({ values }, i): PlanePoint => {
    const steps = (quantity: string) => slopesOf(measurements[i]!, quantity, budget.steps)
    const slopes = { zB: steps("zB"), delta1: steps("delta1"), delta2: steps("delta2") }
    const [cA, cB] = [new Fraction(values.cA!), new Fraction(values.cB!)]
    const contains = (set: Condition) =>
      !set.substitute(
        new Map([
          ["cA", Affine.constant(cA)],
          ["cB", Affine.constant(cB)],
        ]),
      ).isNever
    const stable = slopes.zB.every((exponent) => exponent <= tolerance)
    const moves = [slopes.delta1, slopes.delta2].every((steps) => Math.abs(steps.at(-1)!) <= tolerance)
    return {
      cA,
      cB,
      slopes,
      derived: { stable: contains(derivation.stable), efficient: contains(derivation.efficient!) },
      measured: { stable, efficient: stable && moves },
      claims: [],
    }
  })
  const odd = points.flatMap((point, i) => (CLASSES.some((kind) => differs(point, kind)) ? [i] : []))
  const judged = judgedAt(odd, settings, budget, measurements)
  return {
    name,
    optimiser: optimiserText(definition),
    derivation,
    points: points.map((point, i) => ({ ...point, claims: judged.get(i) ?? [] })),
  }
}

/** The verdicts at some of the points, corrected for the number of all of them: these were chosen for deviating. */
function judgedAt(
  chosen: readonly number[],
  settings: readonly Setting[],
  budget: Budget,
  measurements: readonly Measurements[],
): Map<number, MeasuredClaim[]> {
  return new Map(
    chosen.map((i) => [
      i,
      judgeMeasurements([settings[i]!], budget, [measurements[i]!], {
        families: settings.length,
        quantitiesOf: () => QUANTITIES,
      }),
    ]),
  )
}

function slopesOf({ samples }: Measurements, quantity: string, steps: number): number[] {
  return Array.from(
    { length: steps },
    (_, i) => plainSlope(samples(quantity, i + 1))?.exponent ?? Number.NEGATIVE_INFINITY,
  )
}

/** The plain slope; null where every value is zero. */
function plainSlope(samples: readonly WidthSample[]): SlopeFit | null {
  const isZero = samples.every(({ meanSquares }) => meanSquares.every((value) => value === 0))
  return isZero ? null : slope(samples)
}

/** Whether plain slopes put a point in another class than derived. */
export function differs({ derived, measured }: PlanePoint, kind: Class): boolean {
  return derived[kind] !== measured[kind]
}

/** The claims on which a point's class rests: Z_B at every step, or after the last step together with δ¹ and δ². */
function relevantTo(kind: Class, claims: readonly MeasuredClaim[]): MeasuredClaim[] {
  const last = Math.max(...claims.map(({ step }) => step))
  return claims.filter(({ quantity, step }) => (kind === "stable" ? quantity === "zB" : step === last))
}

/**
 * What the intervals say of a point whose plain slopes put it in another class than derived. The derived exponents are
 * multiples of the grid's step, so an interval that excludes 0, or all but 0 among them, decides.
 */
export function verdictAt({ derived, claims }: PlanePoint, kind: Class, step: number): Judgement {
  const relevant = relevantTo(kind, claims)
  if (relevant.some(({ measured }) => measured.verdict === "contradicts")) return "contradicts"
  const intervals = relevant.flatMap((claim) => {
    const interval = intervalOf(claim)
    return interval === null ? [] : [{ ...interval, mayFall: claim.quantity === "zB" }]
  })
  const isOutside = intervals.some(({ low, high, mayFall }) => low > 0 || (!mayFall && high < 0))
  const isInside = intervals.every(({ low, high, mayFall }) => high < step && (mayFall || low > -step))
  return (derived[kind] ? isInside && !isOutside : isOutside) ? "agrees" : "inconclusive"
}

/** What would decide a point: intervals narrower than half the grid's step. */
export function decidingAt({ claims }: PlanePoint, kind: Class, step: number): string {
  const wide = relevantTo(kind, claims).filter((claim) => {
    const interval = intervalOf(claim)
    return interval === null || (interval.high - interval.low) / 2 > step / 2
  })
  return decidingBudget(wide, step / 2)
}
