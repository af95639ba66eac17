import { RULES } from "../src/fit/judge.js"
import { exponentFigure } from "../src/report/figures/exponents.js"
import type { Finding, Section } from "../src/report/section.js"
import type { ReportTable } from "../src/report/table.js"
import { claimsTable, exponentPoints } from "./claims.js"
import { evidenceTable } from "./evidence.js"
import type { Effort, Experiment } from "./experiment.js"
import { type Budget, type Setting, taskCount } from "./measure.js"
import { BUDGET, type Claim, SETTINGS, settingName, verifyTheorySetting } from "./theorySetting.js"

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
      return theorySection(settings, await verifyTheorySetting(settings, budget, options), budget, effort.seeds)
    },
  }
}

/** The section of the claims; `factor` is how many times the size's seeds were run. */
function theorySection(
  settings: readonly Setting[],
  claims: readonly Claim[],
  budget: Budget,
  factor: number,
): Section {
  const { widths, seeds, steps } = budget
  const table = claimsTable(claims)
  const evidence = evidenceTable(claims)
  return {
    id: "theory-setting",
    title: "Derived against measured in the theory's setting",
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
    findings: settings.map((setting) => {
      const name = settingName(setting)
      return finding(
        name,
        claims.filter(({ id }) => id.startsWith(`${name}/`)),
        factor,
      )
    }),
    data: { claims: table, sizes: sizeTable(claims), theorems: evidence },
  }
}

/** One finding a setting: a contradiction rules, then what is undecided. */
export function finding(name: string, claims: readonly Claim[], factor: number): Finding {
  const of = (kind: Finding["verdict"]) => claims.filter(({ measured }) => measured.verdict === kind)
  const [wrong, open] = [of("contradicts"), of("inconclusive")]
  const names = (some: readonly Claim[]) => some.map(({ quantity, step }) => `${quantity}@${step}`).join(", ")
  const claim = `${name}: the sizes of ${claims.length} quantities and steps follow their derived exponents`
  if (wrong.length > 0) {
    const causes = [...new Set(wrong.map(({ cause }) => cause))]
    const why = causes.includes(null) ? null : causes.join("; ")
    return { claim: `${claim}; not ${names(wrong)}`, verdict: "contradicts", why }
  }
  if (open.length > 0) return { claim, verdict: "inconclusive", why: `${names(open)}: ${deciding(open, factor)}` }
  return { claim, verdict: "agrees", why: null }
}

/** The budget at which the intervals are narrow enough, if they narrow as one over the root of the seeds. */
function deciding(open: readonly Claim[], factor: number): string {
  const halves = open.map(({ measured: { plain, corrected } }) => {
    const fit = corrected ?? plain
    return fit === null ? Number.NaN : (fit.interval.high - fit.interval.low) / 2
  })
  const widest = Math.max(...halves)
  return Number.isFinite(widest)
    ? `--budget ${Math.ceil(factor * (widest / RULES.widestHalfWidth) ** 2)} would decide`
    : "more widths would decide, no number of seeds"
}

/** Every root mean square. */
function sizeTable(claims: readonly Claim[]): ReportTable {
  return {
    columns: ["setting", "quantity", "step", "width", "seeds", "value"],
    rows: claims.flatMap(({ id, quantity, step, widths, seeds, values }) =>
      widths.map((width, i) => [id.slice(0, id.lastIndexOf("/")), quantity, step, width, seeds, values[i]!]),
    ),
  }
}

/** How far the plain slope of a claim lies from the derived exponent, if its terms are well apart. */
function plainMiss({ derived, measured: { plain } }: Claim): number {
  if (derived.kind === "zero" || plain === null) return 0
  const [next] = derived.others
  if (next !== undefined && derived.exponent.sub(next).compare("1/2") < 0) return 0
  return Math.abs(plain.exponent - derived.exponent.valueOf())
}
