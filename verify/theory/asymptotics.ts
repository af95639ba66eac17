/**
 * Claim: local slopes come within 0.05 of the derived exponents at ordinary widths, and the derived next term says how
 * fast.
 */
import { Fraction } from "fraction.js"
import { type Terms, termsOf } from "../../src/derive/terms.js"
import { type Onset, onset } from "../../src/fit/onset.js"
import type { WidthSample } from "../../src/fit/slope.js"
import { type LocalSlopePoint, localSlopeFigure } from "../../src/report/figures/localSlopes.js"
import type { Section, SectionFinding } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import { scheme } from "../../src/scheme/scheme.js"
import type { Budget } from "../compare/budget.js"
import { measure, taskCount } from "../compare/measure.js"
import type { Measurements } from "../compare/measurements.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { type Setting, settingName } from "../compare/setting.js"
import { powersOfTwo } from "../compare/widths.js"
import type { Effort, Experiment } from "../experiment.js"
import { WIDE_SETTINGS } from "./theoryWide.js"

const ID = "onset"
const TITLE = "Where the asymptotics begin"
const TOLERANCE = 0.05
const QUANTITIES = ["zA", "b", "zB", "delta1", "delta2", "delta3", "f"]

/** Narrow widths are cheap and noisy, wide ones the opposite. */
const COMMON = { rank: 4, steps: 3, firstSeed: FIRST_SEED.asymptotics }
const SIZES: Readonly<Record<Effort["size"], readonly Budget[]>> = {
  quick: [
    { ...COMMON, widths: powersOfTwo(9, 13), seeds: 16 },
    { ...COMMON, widths: powersOfTwo(3, 8), seeds: 128 },
  ],
  full: [
    { ...COMMON, widths: powersOfTwo(15, 20), seeds: 8, seedsPerTask: 1 },
    { ...COMMON, widths: powersOfTwo(9, 14), seeds: 128 },
    { ...COMMON, widths: powersOfTwo(3, 8), seeds: 1024 },
  ],
}

const budgetsOf = ({ size, seeds }: Effort) => SIZES[size].map((budget) => ({ ...budget, seeds: seeds * budget.seeds }))

/** At their largest stable rates, where terms lie 1/2 apart, and below, where a next term is as near as 1/4. */
const SETTINGS: readonly Setting[] = [...WIDE_SETTINGS, ...WIDE_SETTINGS.filter(hasOneRate).map(below)]

function hasOneRate({ values }: Setting): boolean {
  return values.c !== undefined
}

function below({ definition, values }: Setting): Setting {
  return { definition, values: { c: new Fraction(values.c!).sub("1/4").toFraction() } }
}

/** One quantity of a scheme at the last step. */
interface Case {
  readonly scheme: string
  readonly quantity: string
  readonly terms: Extract<Terms, { kind: "power" }>
  readonly found: Onset
}

/** From which width on the limit is what one sees. */
export const asymptotics: Experiment = {
  id: ID,
  title: TITLE,
  configuration: (effort) => ({
    budgets: budgetsOf(effort),
    settings: SETTINGS.map(settingName),
    tolerance: TOLERANCE,
  }),
  tasks: (effort) => budgetsOf(effort).reduce((sum, budget) => sum + taskCount(SETTINGS, budget), 0),
  run: async (effort, options) => {
    const budgets = budgetsOf(effort)
    const measured: Measurements[][] = []
    for (const budget of budgets) measured.push(await measure(SETTINGS, budget, options))
    const cases = SETTINGS.flatMap((setting, index) => {
      const terms = termsOf(scheme(setting.definition, setting.values))
      return QUANTITIES.flatMap((quantity): Case[] => {
        const derived = terms(quantity, COMMON.steps)
        const samples = measured.flatMap((budget): WidthSample[] => budget[index]!.samples(quantity, COMMON.steps))
        if (derived.kind === "zero") return []
        const found = onset(samples, derived.exponent.valueOf(), TOLERANCE)
        return [{ scheme: settingName(setting), quantity, terms: derived, found }]
      })
    })
    return section(cases, budgets)
  },
}

function section(cases: readonly Case[], budgets: readonly Budget[]): Section {
  const widths = budgets.flatMap((budget) => budget.widths)
  const table = onsetTable(cases)
  return {
    id: ID,
    title: TITLE,
    answer: { question: "From which width on is the limit what one sees?", text: answerText(cases) },
    claim: "The theory speaks of large widths. From which width on is what it says what one sees?",
    parts: [
      {
        kind: "text",
        text: `Slopes between each width and the one four times as wide, n = ${Math.min(...widths)} … ${Math.max(...widths)}, at step ${COMMON.steps} in the theory's setting. *Begins*: the narrowest width from which every local slope lies within ${TOLERANCE} of the derived exponent, two standard errors allowed. *Gap*: how far the derived next term, or correction, lies below the leading one; the deviation of a local slope should fall as n^(−gap). *Decay*: its exponent as measured, where the deviation stands out of the noise at three widths or more.`,
      },
      { kind: "table", caption: "Where each quantity's asymptotics begin", table },
      {
        kind: "figure",
        name: "local-slopes",
        caption: "Local slope less the derived exponent, against the width; the band is the tolerance.",
        spec: localSlopeFigure(cases.flatMap(points), TOLERANCE),
      },
    ],
    findings: cases.map(finding),
    data: { onset: table, "local-slopes": slopeTable(cases) },
  }
}

function answerText(cases: readonly Case[]): string {
  const begun = cases.flatMap(({ found: { from } }) => from ?? []).sort((x, y) => x - y)
  const within = `within ${TOLERANCE} of the derived exponents`
  if (begun.length === 0) return `At none of the widths that were run: no local slopes lie ${within} yet.`
  const half = begun[Math.ceil(begun.length / 2) - 1]!
  return `${begun.length} of ${cases.length} quantities have local slopes ${within} at the widths that were run; half of these do from n = ${half} on, all from n = ${begun.at(-1)}.`
}

/** The smallest derived gap: to the next term of the max, or that of a correction. */
function gapOf({ terms: { exponent, others, corrections } }: Case): string | null {
  const gaps = [...others.map((other) => exponent.sub(other)), ...corrections].filter((gap) => gap.compare(0) > 0)
  return gaps.sort((x, y) => x.compare(y))[0]?.toFraction() ?? null
}

function finding({ scheme: name, quantity, terms, found: { from, expected, local } }: Case): SectionFinding {
  const what = `${name}: local slopes of ${quantity} lie within ${TOLERANCE} of ${terms.exponent.toFraction()}`
  if (from !== null) return { claim: `${what} from n = ${from} on`, verdict: "agrees", why: null }
  const widest = local.at(-1)!
  const later = expected === null ? "wider widths would decide" : `their own trend gets there at about n = ${expected}`
  return {
    claim: what,
    verdict: "inconclusive",
    why: `not yet at n = ${widest.width} (${widest.slope.toFixed(3)}); ${later}`,
  }
}

function onsetTable(cases: readonly Case[]): ReportTable {
  return {
    columns: ["scheme", "quantity", "exponent", "begins at n", "gap", "decay", "widest local slope"],
    rows: cases.map((one) => {
      const { from, decay, local } = one.found
      return [
        one.scheme,
        one.quantity,
        one.terms.exponent.toFraction(),
        from,
        gapOf(one),
        decay?.toFixed(2) ?? null,
        local.at(-1)!.slope.toFixed(3),
      ]
    }),
  }
}

function slopeTable(cases: readonly Case[]): ReportTable {
  return {
    columns: ["scheme", "quantity", "width", "local slope", "standard error"],
    rows: cases.flatMap(({ scheme: name, quantity, found }) =>
      found.local.map(({ width, slope, error }) => [name, quantity, width, slope, error]),
    ),
  }
}

function points({ scheme: name, quantity, terms, found }: Case): LocalSlopePoint[] {
  const exponent = terms.exponent.valueOf()
  return found.local.map(({ width, slope, error }) => ({
    scheme: name,
    quantity,
    width,
    deviation: slope - exponent,
    error,
  }))
}
