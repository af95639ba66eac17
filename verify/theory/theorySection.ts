import { exponentFigure } from "../../src/report/figures/exponents.js"
import type { Section } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import { exponentsAnswer } from "../compare/answers.js"
import type { Budget } from "../compare/budget.js"
import { claimsOf, judgeMeasurements, type MeasuredClaim } from "../compare/claim.js"
import { claimsTable, exponentPoints } from "../compare/claimTable.js"
import { claimFindings } from "../compare/findings.js"
import { measure, taskCount } from "../compare/measure.js"
import { rechecked, widened } from "../compare/recheck.js"
import { type Setting, settingName } from "../compare/setting.js"
import type { Effort, Experiment } from "../experiment.js"
import { evidenceTable } from "./evidence.js"
import { BUDGET, SETTINGS } from "./theorySetting.js"

/** Derived exponents beside measured ones in the theory's setting. */
export const theorySetting = theoryExperiment(SETTINGS, { quick: BUDGET, full: { ...BUDGET, seeds: 128 } })

/** The same for other settings and budgets. */
export function theoryExperiment(
  settings: readonly Setting[],
  budgets: Readonly<Record<Effort["size"], Budget>>,
): Experiment {
  const budgetOf = ({ size, seeds }: Effort): Budget => ({ ...budgets[size], seeds: seeds * budgets[size].seeds })
  return {
    id: "theory-setting",
    title: "Derived against measured in the theory's setting",
    configuration: (effort) => ({ ...budgetOf(effort), settings }),
    tasks: (effort) => taskCount(settings, budgetOf(effort)),
    run: async (effort, options) => {
      const budget = budgetOf(effort)
      const claims: MeasuredClaim[] = []
      const measurements = await measure(settings, budget, options)
      const judged = judgeMeasurements(settings, budget, measurements)
      for (const setting of settings) {
        claims.push(...(await rechecked(setting, claimsOf(setting, judged), budget, widened(budget.widths), options)))
      }
      return theorySection(settings, claims, budget)
    },
  }
}

/** The section of the claims. */
function theorySection(settings: readonly Setting[], claims: readonly MeasuredClaim[], budget: Budget): Section {
  const { widths, seeds, steps } = budget
  const table = claimsTable(claims)
  const evidence = evidenceTable(claims)
  return {
    id: "theory-setting",
    title: "Derived against measured in the theory's setting",
    answer: {
      question: "Do sizes follow the derived exponents, step by step?",
      text: exponentsAnswer(claims),
    },
    claim:
      "In the setting of the theory (one sample, a linear loss) every quantity's size follows its derived exponent, at every " +
      "step of the transient and beyond (arXiv 2406.08447, Theorems 1 and 2, and what this project derives besides).",
    parts: [
      {
        kind: "text",
        text: `Feature level, but for \`f\`, the adapter's change of the output. Widths ${widths[0]} … ${widths.at(-1)}, rank ${budget.rank}, ${seeds} seeds, ${steps} steps, float64. Where a max has one term, or its two leading terms are at least 1/2 apart, the plain slope misses the derived exponent by at most ${Math.max(...claims.map(plainMiss)).toFixed(3)}. A verdict rests on the fit with the derived other terms where there are any, corrected for the number of all of them (${claims.length}).`,
      },
      {
        kind: "figure",
        name: "exponents",
        caption: "Measured against derived exponents with 95 % intervals, a panel per quantity.",
        spec: exponentFigure(exponentPoints(claims)),
      },
      {
        kind: "table",
        caption:
          "Theorems beside these measurements: verdicts on the quantities that a theorem speaks of, at all measured points of " +
          "its scheme, on either side of its condition",
        table: evidence,
      },
      { kind: "table", caption: "Every quantity at every step", table },
    ],
    findings: settings.flatMap((setting) => claimFindings(settingName(setting), claimsOf(setting, claims))),
    data: { claims: table, sizes: sizeTable(claims), theorems: evidence },
  }
}

/** Every root mean square. */
function sizeTable(claims: readonly MeasuredClaim[]): ReportTable {
  return {
    columns: ["setting", "quantity", "step", "width", "seeds", "value"],
    rows: claims.flatMap(({ setting, quantity, step, widths, seeds, values }) =>
      widths.map((width, i) => [settingName(setting), quantity, step, width, seeds, values[i]!]),
    ),
  }
}

/** How far the plain slope of a claim lies from the derived exponent, if its terms are well apart. */
function plainMiss({ derived, measured: { plain } }: MeasuredClaim): number {
  if (derived.kind === "zero" || plain === null) return 0
  const [next] = derived.others
  if (next !== undefined && derived.exponent.sub(next).compare("1/2") < 0) return 0
  return Math.abs(plain.exponent - derived.exponent.valueOf())
}
