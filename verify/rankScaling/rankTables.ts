import { Fraction } from "fraction.js"
import { formatMin } from "../../src/exponent/grammar.js"
import type { Interval } from "../../src/fit/slope.js"
import type { RankBound, RankThreshold } from "../../src/report/figures/rank.js"
import type { Judgement } from "../../src/report/judgement.js"
import type { SectionFinding } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import type { MeasuredClaim } from "../compare/claim.js"
import { seedsToDecide } from "../compare/deciding.js"
import { boundsOf, type Level, type RankLaw, type RankScheme, type RankSize, SEARCH } from "./rankSchemes.js"

/** A threshold known no better than this decides nothing. */
const WIDEST = 0.15

function lawVerdict(
  { bound, threshold: { interval } }: RankLaw,
  { probe }: RankSize,
): { verdict: Judgement; why: string | null } {
  const isInside = interval.low <= bound.valueOf() && bound.valueOf() <= interval.high
  if (!isInside) return { verdict: "contradicts", why: null }
  const half = (interval.high - interval.low) / 2
  if (half <= WIDEST) return { verdict: "agrees", why: null }
  const why = Number.isFinite(half)
    ? `${seedsToDecide(interval, WIDEST, probe.seeds)} seeds bring ±${half.toFixed(2)} to ±${WIDEST}`
    : "no slope looked at surely lies below or above 0: more seeds decide"
  return { verdict: "inconclusive", why }
}

/** A measured threshold beside its bound. */
export function lawFinding(law: RankLaw, size: RankSize): SectionFinding {
  const { scheme: of, rho, level, bound, threshold } = law
  return {
    claim: `${of.start}, ${of.update}, ${of.multiplier}, ρ = ${rho}: the largest c with ${level === "features" ? "Z_B" : "f − f₀"} = O(1) through t = ${size.budget.steps} is ${bound.toFraction()}; measured ${threshold.located.toFixed(2)} in ${bracket(threshold.interval)}`,
    ...lawVerdict(law, size),
  }
}

function bracket({ low, high }: Interval): string {
  return `[${low.toFixed(2)}, ${high.toFixed(2)}]`
}

/** The derived largest rates as functions of ρ. */
export function boundTable(schemes: readonly RankScheme[]): ReportTable {
  return {
    columns: ["scheme", "update", "multiplier", "Z_B = O(1) iff c ≤", "f − f₀ = O(1) iff c ≤"],
    rows: schemes.map(({ start, update, multiplier, derivation: { largestRate } }) => [
      start,
      update,
      multiplier,
      ...[largestRate.features, largestRate.output].map((forms) => (forms === null ? "-" : formatMin(forms))),
    ]),
  }
}

/** Thresholds, a row each. */
export function lawTable(laws: readonly RankLaw[]): ReportTable {
  return {
    columns: [
      "scheme",
      "update",
      "multiplier",
      "rho",
      "level",
      "derived for all t",
      "derived for the steps",
      "located",
      "95 % interval",
    ],
    rows: laws.map(({ scheme: of, rho, level, bound, forAll, threshold }) => [
      of.start,
      of.update,
      of.multiplier,
      rho,
      level,
      forAll.toFraction(),
      bound.toFraction(),
      threshold.located.toFixed(3),
      bracket(threshold.interval),
    ]),
  }
}

/** Z_B after the last step at a rate free of r. */
export function fixedRateTable(
  schemes: readonly RankScheme[],
  claims: readonly MeasuredClaim[],
  last: number,
): ReportTable {
  return {
    columns: ["scheme", "update", "multiplier", "rho", "c", "derived", "measured", "95 % interval", "verdict"],
    rows: schemes.flatMap(({ start, update, multiplier, definition }) =>
      claims
        .filter(({ setting, step }) => setting.definition === definition && step === last)
        .map(({ setting: { values }, derived, measured: { plain, corrected, verdict } }) => {
          const fit = corrected ?? plain
          return [
            start,
            update,
            multiplier,
            values.rho!,
            values.c!,
            derived.kind === "zero" ? "−∞" : derived.exponent.toFraction(),
            fit?.exponent.toFixed(3) ?? "",
            fit === null ? "" : `[${fit.interval.low.toFixed(2)}, ${fit.interval.high.toFixed(2)}]`,
            verdict,
          ]
        }),
    ),
  }
}
/** Bounds over ρ in [0, 1/2]; one line where the bound for the steps is that for all t. */
export function lines(schemes: readonly RankScheme[], { budget }: RankSize, level: Level): RankBound[] {
  const ranks = Array.from({ length: 9 }, (_, i) => new Fraction(i, 16))
  return schemes.flatMap((of) => {
    const bounds = ranks.map((rho) => ({
      rho,
      ...boundsOf({ scheme: of, rho: rho.toFraction() }, level, budget.steps),
    }))
    const line = (steps: string, value: (at: (typeof bounds)[number]) => Fraction) =>
      bounds.map((at) => ({
        panel: panelOf(of),
        multiplier: of.multiplier,
        rho: at.rho.valueOf(),
        c: value(at).valueOf(),
        steps,
      }))
    const isSame = bounds.every(({ bound, forAll }) => bound.equals(forAll))
    const through = line(isSame ? "" : `t ≤ ${budget.steps}`, ({ bound }) => bound)
    return isSame ? through : [...through, ...line("all t", ({ forAll }) => forAll)]
  })
}

/** The measured thresholds of a level. */
export function points(laws: readonly RankLaw[], level: Level): RankThreshold[] {
  return laws
    .filter((law) => law.level === level)
    .map(({ scheme: of, rho, threshold: { located, interval } }) => ({
      panel: panelOf(of),
      multiplier: of.multiplier,
      rho: new Fraction(rho).valueOf(),
      c: located,
      low: Math.max(SEARCH.low.valueOf(), interval.low),
      high: Math.min(SEARCH.high.valueOf(), interval.high),
    }))
}

function panelOf({ start, update }: RankScheme): string {
  return `${start}, ${update}`
}
