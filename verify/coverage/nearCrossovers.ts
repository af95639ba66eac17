import type { SectionFinding } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import type { Budget } from "../compare/budget.js"
import { taskCount } from "../compare/measure.js"
import type { Effort, Experiment } from "../experiment.js"
import { COVERAGE_BUDGET, type CoverageCase, coverage, NEAR_CROSSOVERS } from "./coverage.js"

const budgetOf = ({ size, seeds }: Effort): Budget => ({
  ...COVERAGE_BUDGET,
  seeds: seeds * (size === "quick" ? COVERAGE_BUDGET.seeds : 64),
})

/** Whether the intervals that verdicts rest on contain what they should. */
export const nearCrossovers: Experiment = {
  id: "near-crossovers",
  title: "Do the intervals cover near crossovers?",
  configuration: (effort) => ({ ...budgetOf(effort), settings: NEAR_CROSSOVERS }),
  tasks: (effort) => taskCount(NEAR_CROSSOVERS, budgetOf(effort)),
  run: async (effort, options) => {
    const cases = await coverage(budgetOf(effort), options)
    const count = (isCovered: (one: CoverageCase) => boolean) => cases.filter(isCovered).length
    const corrected = count(({ covered }) => covered)
    const plain = count(({ plainCovered }) => plainCovered)
    const share = (k: number) => `${k} of ${cases.length} (${((100 * k) / cases.length).toFixed(0)} %)`
    return {
      id: "near-crossovers",
      title: "Do the intervals cover near crossovers?",
      answer: {
        question: "Do the intervals cover where two terms are close?",
        text: `The fit with the derived other terms contains the derived exponent in ${share(corrected)} of such cases, the plain slope in ${share(plain)}: verdicts rest on the former.`,
      },
      claim:
        "Near a crossover, where two terms of a derived max are less than 1/2 apart, the 95 % interval of the fit with the " +
        "derived other terms contains the derived exponent in at least 95 % of cases; that of the plain slope does not.",
      parts: [
        {
          kind: "text",
          text: `${cases.length} such quantities, ${budgetOf(effort).seeds} seeds a width that nothing else used. The fit with the derived other terms contains the derived exponent in ${share(corrected)}, the plain slope in ${share(plain)}. Quantities of one setting share runs, so the cases are correlated, and the intervals of these shares are too narrow by an unknown factor.`,
        },
        { kind: "table", caption: "Every case", table: coverageTable(cases, (bound) => bound.toFixed(3)) },
      ],
      findings: [
        atLeast(
          `The interval of the fit with the derived other terms contains the derived exponent in at least 95 % of cases: ${share(corrected)}`,
          corrected,
          cases.length,
        ),
        below(
          `The interval of the plain slope contains it in fewer than 95 % of cases: ${share(plain)}`,
          plain,
          cases.length,
        ),
      ],
      data: { cases: coverageTable(cases, (bound) => bound) },
    }
  },
}

const SHARE = 0.95

/** A share is short of 95 % only where its interval is; an interval as wide as 10 % decides nothing. */
function atLeast(claim: string, count: number, total: number): SectionFinding {
  const { low, high } = wilson(count, total)
  if (high < SHARE) return { claim, verdict: "contradicts", why: null }
  return low < SHARE - 0.1 ? inconclusive(claim) : { claim, verdict: "agrees", why: null }
}

function below(claim: string, count: number, total: number): SectionFinding {
  const { low, high } = wilson(count, total)
  if (high < SHARE) return { claim, verdict: "agrees", why: null }
  return low > SHARE ? { claim, verdict: "contradicts", why: null } : inconclusive(claim)
}

function inconclusive(claim: string): SectionFinding {
  return { claim, verdict: "inconclusive", why: "more settings near a crossover would decide, no number of seeds" }
}

/** Wilson's 95 % interval of a share (Wilson 1927). */
function wilson(count: number, total: number): { low: number; high: number } {
  const z = 1.959964
  const share = count / total
  const centre = (share + z ** 2 / (2 * total)) / (1 + z ** 2 / total)
  const half = (z / (1 + z ** 2 / total)) * Math.sqrt((share * (1 - share)) / total + z ** 2 / (4 * total ** 2))
  return { low: centre - half, high: centre + half }
}

function coverageTable(cases: readonly CoverageCase[], shown: (bound: number) => number | string): ReportTable {
  return {
    columns: ["case", "derived", "next", "low", "high", "covered", "plain low", "plain high", "plain covered"],
    rows: cases.map(({ id, derived, next, interval, covered, plainInterval, plainCovered }) => {
      const [low, high] = interval.map(shown)
      const [plainLow, plainHigh] = plainInterval.map(shown)
      return [id, derived, next, low!, high!, String(covered), plainLow!, plainHigh!, String(plainCovered)]
    }),
  }
}
