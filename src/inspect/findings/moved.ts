import { type Finding, healthy, names, notice, shown, unknown } from "../finding.js"

/** Adam's largest update over its rate, (1 − β₁)/√(1 − β₂) at β = (0.9, 0.999): Kingma and Ba, section 2.1. */
const ADAM = 0.1 / Math.sqrt(0.001)

export const moved: Finding = {
  id: "rate-exceeded",
  title: "Farther than the logged rates allow",
  measures: "the largest change of an entry between checkpoints over the sum of the logged learning rates",
  threshold: {
    source: "theory",
    text: "3.16: Adam's largest update is (1 − β₁)/√(1 − β₂) times the rate; sign-like updates come to 1 at most",
  },
  why: "Then the rate that moved the factor is not the logged one: a second rate (LoRA+), another optimiser than Adam, or a log of another run.",
  settle: "the optimiser's parameter groups",
  examine: (measured) => {
    const { modules, spans } = measured
    const seen = spans.flatMap(({ rateSum: sum }, i) => {
      if (sum === null || sum === 0) return []
      return modules.flatMap((module) =>
        (["a", "b"] as const).map((factor) => ({ module, factor, ratio: module.intervals[i]![factor].largest / sum })),
      )
    })
    if (seen.length === 0) return unknown("it takes two checkpoints whose steps are known, and a log of rates.")
    const largest = seen.reduce((best, one) => (one.ratio > best.ratio ? one : best))
    const far = seen.filter(({ ratio }) => ratio > ADAM)
    if (far.length > 0)
      return notice(
        `An entry of ${largest.factor.toUpperCase()} in ${largest.module.name} moved ${shown(largest.ratio)} times the sum of the logged rates.`,
        largest.ratio,
        ADAM,
        [...new Set(names(far.map(({ module }) => module)))],
      )
    return healthy(
      `No entry moved more than ${shown(largest.ratio)} times the sum of the logged rates.`,
      largest.ratio,
      ADAM,
    )
  },
}
