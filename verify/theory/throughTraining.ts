/**
 * Claim: the derived exponents hold at every step of training on a squared loss, in each layer, with the derived
 * alignments.
 */
import { coordinateFigure } from "../../src/report/figures/coordinates.js"
import type { Section } from "../../src/report/section.js"
import { exponentsAnswer } from "../compare/answers.js"
import type { Budget } from "../compare/budget.js"
import { claimsOf, judgeMeasurements, type MeasuredClaim, withAlignments } from "../compare/claim.js"
import { claimsTable } from "../compare/claimTable.js"
import { coordinatePoints } from "../compare/coordinateCheck.js"
import { claimFindings } from "../compare/findings.js"
import { measure, taskCount } from "../compare/measure.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { type Setting, settingName, trained } from "../compare/setting.js"
import { powersOfTwo } from "../compare/widths.js"
import type { Effort, Experiment } from "../experiment.js"

const ID = "through-training"
const TITLE = "Coordinate checks through training"

/** Each at the largest rate that keeps the output bounded. */
const ONE_LAYER = [trained("init-a", { c: "-3/4" }), trained("init-b", { c: "-1" })]
const TWO_LAYERS = [trained("two-layers-init-a", { c: "-3/4" }), trained("two-layers-init-b", { c: "-1" })]

interface Size {
  readonly settings: readonly Setting[]
  readonly budget: Budget
  /** The steps that are judged. */
  readonly steps: readonly number[]
}

const COMMON = { rank: 4, firstSeed: FIRST_SEED.throughTraining }

const SIZES: Readonly<Record<Effort["size"], Size>> = {
  quick: {
    settings: ONE_LAYER,
    budget: { ...COMMON, widths: powersOfTwo(6, 10), steps: 8, seeds: 16, seedsPerTask: 4 },
    steps: [2, 8],
  },
  full: {
    settings: [...ONE_LAYER, ...TWO_LAYERS],
    budget: { ...COMMON, widths: powersOfTwo(6, 11), steps: 32, seeds: 24, seedsPerTask: 4 },
    steps: [1, 2, 4, 8, 16, 32],
  },
}

const budgetOf = ({ size, seeds }: Effort): Budget => ({
  ...SIZES[size].budget,
  seeds: seeds * SIZES[size].budget.seeds,
})

/** Sizes and alignments through training, a verdict each. */
export const throughTraining: Experiment = {
  id: ID,
  title: TITLE,
  configuration: (effort) => ({
    ...budgetOf(effort),
    judged: SIZES[effort.size].steps,
    settings: SIZES[effort.size].settings.map(settingName),
  }),
  tasks: (effort) => taskCount(SIZES[effort.size].settings, budgetOf(effort)),
  run: async (effort, options) => {
    const { settings, steps } = SIZES[effort.size]
    const budget = budgetOf(effort)
    const measured = await measure(settings, budget, options)
    return section(judgeMeasurements(settings, budget, measured, { quantitiesOf: withAlignments, steps }), effort)
  },
}

function section(claims: readonly MeasuredClaim[], effort: Effort): Section {
  const { settings, steps } = SIZES[effort.size]
  const { widths, seeds, steps: last } = budgetOf(effort)
  const table = claimsTable(claims)
  return {
    id: ID,
    title: TITLE,
    answer: {
      question: "Does it hold through training, layer by layer, with the derived alignments?",
      text: exponentsAnswer(claims),
    },
    claim:
      "What is derived for all t holds through training on a squared loss, not only at the first steps, for each adapted layer, " +
      "and so do the alignments that it rests on.",
    parts: [
      {
        kind: "text",
        text: `Adam on the squared loss of four samples, ${last} steps, widths ${Math.min(...widths)} … ${Math.max(...widths)}, ${seeds} seeds; judged at steps ${steps.join(", ")}. *alignment(x)* is |⟨u, v⟩| / (‖u‖‖v‖) of the sum over the width behind x: exponent 0 if the two are correlated, −1/2 if independent. The residual shrinks and its sign may flip as training goes on; where it did in a sample is part of the verdict.`,
      },
      ...settings.map((setting) => ({
        kind: "figure" as const,
        name: settingName(setting).replace(/[^a-z-]+/g, "-"),
        caption: `${settingName(setting)} at step ${last}: sizes and alignments against width, and the derived power through the widest width.`,
        spec: coordinateFigure(coordinatePoints(claimsOf(setting, claims))),
      })),
      { kind: "table", caption: "Every quantity and alignment", table },
    ],
    findings: settings.flatMap((setting) =>
      steps.flatMap((step) =>
        claimFindings(
          settingName(setting),
          claimsOf(setting, claims).filter((claim) => claim.step === step),
        ),
      ),
    ),
    data: { claims: table },
  }
}
