/**
 * Claim: every scheme of the catalogue, at the point it is known by, follows its derived exponents to the widest width.
 */
import { formatMin } from "../../src/exponent/grammar.js"
import { exponentFigure } from "../../src/report/figures/exponents.js"
import type { Section } from "../../src/report/section.js"
import { CATALOGUE } from "../../src/scheme/catalogue.js"
import { type Scheme, scheme } from "../../src/scheme/scheme.js"
import { exponentsAnswer } from "../compare/answers.js"
import type { Budget } from "../compare/budget.js"
import { claimsOf, judgeMeasurements, type MeasuredClaim } from "../compare/claim.js"
import { claimsTable, exponentPoints } from "../compare/claimTable.js"
import { derivationOf } from "../compare/derivationOf.js"
import { claimFindings } from "../compare/findings.js"
import { measure, taskCount } from "../compare/measure.js"
import { rechecked, widened } from "../compare/recheck.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { type Setting, settingName } from "../compare/setting.js"
import { fourthPowers } from "../compare/widths.js"
import type { Effort, Experiment } from "../experiment.js"

const ID = "catalogue"
const TITLE = "Every scheme of the catalogue"

const COMMON = { rank: 4, steps: 3, firstSeed: FIRST_SEED.catalogue }

const SIZES: Readonly<Record<Effort["size"], Budget>> = {
  quick: { ...COMMON, widths: fourthPowers(3, 7), seeds: 8 },
  full: { ...COMMON, widths: [6, 8, 11, 16, 23, 32].map((root) => root ** 4), seeds: 4, seedsPerTask: 1 },
}

/** Widths beyond these are out of reach for a rank that grows: the factors have n^(1 + ρ) entries. */
const GROWING: Readonly<Record<Effort["size"], Pick<Budget, "widths">>> = {
  quick: { widths: fourthPowers(3, 7) },
  full: { widths: [6, 7, 8, 10, 12, 14].map((root) => root ** 4) },
}

/** A quick run judges what stability is about, at the last step: features and output. */
const JUDGED: Readonly<Record<Effort["size"], { readonly names: RegExp; readonly steps: readonly number[] }>> = {
  quick: { names: /^(zB\d*|f)$/, steps: [3] },
  full: { names: /./, steps: [1, 2, 3] },
}

const POINTS: readonly Setting[] = CATALOGUE.map((definition) => ({ definition, values: definition.example ?? {} }))

/** A rank that grows is n^ρ itself. */
function budgetOf({ definition, values }: Setting, { size, seeds }: Effort): Budget {
  const { rank } = scheme(definition, values).sizes
  const grows = !(rank.isConstant && rank.constant.equals(0))
  const budget = { ...SIZES[size], seeds: seeds * SIZES[size].seeds }
  return grows ? { ...budget, ...GROWING[size], rank: 1 } : budget
}

/** Derived against measured for the whole catalogue. */
export const catalogueExponents: Experiment = {
  id: ID,
  title: TITLE,
  configuration: (effort) => ({
    ...SIZES[effort.size],
    growing: GROWING[effort.size],
    points: POINTS.map(settingName),
  }),
  tasks: (effort) => POINTS.reduce((sum, point) => sum + taskCount([point], budgetOf(point, effort)), 0),
  run: async (effort, options) => {
    const { names, steps } = JUDGED[effort.size]
    const judged = {
      quantitiesOf: ({ program }: Scheme) => Object.keys(program.quantities).filter((name) => names.test(name)),
      steps,
    }
    const claims: MeasuredClaim[] = []
    for (const point of POINTS) {
      const budget = budgetOf(point, effort)
      const measured = await measure([point], budget, options)
      const own = judgeMeasurements([point], budget, measured, { families: POINTS.length, ...judged })
      claims.push(...(await rechecked(point, own, budget, widened(budget.widths), options)))
    }
    return section(claims, effort)
  },
}

function section(claims: readonly MeasuredClaim[], { size, seeds }: Effort): Section {
  const { widths, steps, seeds: own } = SIZES[size]
  const table = claimsTable(claims)
  const bounds = POINTS.map(({ definition, values }) => {
    const { features, output } = derivationOf(definition).largestRate
    const point = Object.entries(values).map(([symbol, value]) => `${symbol} = ${value}`)
    return [definition.name, features && formatMin(features), output && formatMin(output), point.join(", ")]
  })
  return {
    id: ID,
    title: TITLE,
    answer: {
      question: `And those of every scheme that people use, to n = ${Math.max(...widths)}?`,
      text: exponentsAnswer(claims),
    },
    claim:
      "Starts, optimisers, ranks and networks that people use follow the exponents derived from their programs, not only the " +
      "paper's two schemes.",
    parts: [
      {
        kind: "table",
        caption: "Largest exponent of the single rate, derived, and the point at which each scheme is measured",
        table: { columns: ["scheme", "feature level", "output level", "measured at"], rows: bounds },
      },
      {
        kind: "text",
        text: `Theory's setting, widths ${Math.min(...widths)} … ${Math.max(...widths)} (less for ranks that grow), ${seeds * own} seeds, ${steps} steps, float64. Intervals are corrected for the number of all verdicts.`,
      },
      {
        kind: "figure",
        name: "exponents",
        caption: "Measured against derived exponents of all schemes, a panel per quantity.",
        spec: exponentFigure(exponentPoints(claims.filter(({ quantity }) => SHOWN.includes(quantity)))),
      },
    ],
    findings: POINTS.flatMap((point) => {
      return claimFindings(settingName(point), claimsOf(point, claims))
    }),
    data: { claims: table },
  }
}

/** The quantities that most schemes have. */
const SHOWN = ["zA", "b", "zB", "delta1", "delta2", "delta3", "f"]
