import { type Finding, healthy, median, names, notice, shown, unknown } from "../finding.js"

/** Momentum with β₁ = 0.9 remembers about ten steps; after twice as many an eighth of it is left. */
const FEWEST_STEPS = 20

/** The largest canonical correlation of two independent random r-dimensional subspaces of n dimensions (Wachter). */
function independent(rank: number, size: number): number {
  return 2 * rank >= size ? 1 : 2 * Math.sqrt((rank / size) * (1 - rank / size))
}

export const rankSaturated: Finding = {
  id: "rank-saturated",
  title: "Rank saturated",
  measures:
    "canonical correlations of each factor's change in the first half of the checkpoints with its change in the second",
  threshold: {
    source: "null distribution",
    text: "2 √((r/n)(1 − r/n)), the largest correlation of independent random changes; said where even the weakest of the r directions lies above it",
  },
  why: "Every direction that the rank allows keeps moving the way it did before: there may be more to learn than the rank has room for.",
  settle: "a run at twice the rank with the multiplier that its rule gives: is its loss lower?",
  examine: ({ modules, run }) => {
    if (run.checkpoints.length < 3) return unknown("it takes three checkpoints to see whether directions persist.")
    const steps = [run.checkpoints[0]!, run.checkpoints[run.checkpoints.length >> 1]!, run.checkpoints.at(-1)!].map(
      ({ step }) => step,
    )
    const halves = steps.slice(1).flatMap((step, i) => (step === null || steps[i] === null ? [] : [step - steps[i]!]))
    if (halves.some((half) => half < FEWEST_STEPS))
      return unknown(
        `its halves have ${Math.min(...halves)} steps, and momentum alone carries directions over about ${FEWEST_STEPS}.`,
      )
    const asked = modules.flatMap((module) =>
      (["a", "b"] as const).flatMap((factor) => {
        const weakest = module.persistence[factor]?.[0]
        const limit = independent(module.rank, factor === "a" ? module.input : module.output)
        return weakest === undefined || limit === 1 ? [] : [{ module, factor, weakest, limit }]
      }),
    )
    if (asked.length === 0)
      return unknown("no factor moved in as many directions as its rank in both halves of the run.")
    const full = asked.filter(({ weakest, limit }) => weakest > limit)
    if (full.length > asked.length / 2)
      return notice(
        `In ${full.length} of ${asked.length} factors all directions go on as before: the weakest with a correlation of ${shown(median(full.map(({ weakest }) => weakest)))} (median).`,
        median(full.map(({ weakest }) => weakest)),
        median(full.map(({ limit }) => limit)),
        [...new Set(names(full.map(({ module }) => module)))],
      )
    return healthy(
      `The weakest direction goes on with a correlation of ${shown(median(asked.map(({ weakest }) => weakest)))} (median): room is left.`,
      median(asked.map(({ weakest }) => weakest)),
      median(asked.map(({ limit }) => limit)),
    )
  },
}
