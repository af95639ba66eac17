import { logAverage } from "simple-statistics"
import { RULES } from "../../src/fit/judge.js"
import { powerLabel } from "../../src/report/figures/axes.js"
import { type LossPoint, lossFigure } from "../../src/report/figures/loss.js"
import { optimalRateFigure } from "../../src/report/figures/rates.js"
import { type TrajectoryPoint, trajectoryFigure } from "../../src/report/figures/trajectory.js"
import type { SectionFinding, SectionPart } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import { groupsOf } from "../../src/table/groups.js"
import { seedsToDecide } from "../compare/deciding.js"
import type { Experiment } from "../experiment.js"
import { boundOfRate } from "./boundOfRate.js"
import { openingOf } from "./opening.js"
import { crossover, overshoot } from "./rateCauses.js"
import { rateFigureData } from "./rateFigureData.js"
import {
  configOf,
  decidedRuns,
  mostRuns,
  type RateLaw,
  type TeacherStudentConstants,
  type TeacherStudentRun,
} from "./teacherStudent.js"

/** The paper's teacher-student experiment at both levels. */
export const teacherStudent: Experiment = {
  id: "teacher-student",
  title: "Teacher and student",
  configuration: (effort) => configOf(effort, "most"),
  tasks: mostRuns,
  run: async (effort, options) => {
    const { config, grid: runs, finer, laws } = await decidedRuns(effort, options)
    const table = rateLawTable(laws)
    const findings = laws.map((law) => finding(law, finer, config))
    return {
      id: "teacher-student",
      title: "Teacher and student",
      answer: {
        question: "How do the best rate and the largest stable rate fall with the width?",
        text: laws
          .filter(({ readout }) => readout === config.readouts[0])
          .map(lawText)
          .join(" "),
      },
      opening: await openingOf(laws, findings),
      claim:
        "The paper's teacher-student experiment (arXiv 2406.08447): how the best learning rate falls with the width, for Init[A] and " +
        "Init[B]; here beside the largest rate that keeps the features bounded, which is what the theory bounds.",
      parts: [
        {
          kind: "text",
          text: `f(x) = W_out φ((W_h + BA) φ(W_in x)), ReLU, rank ${config.rank}, input dimension ${config.inputs}, ${config.samples} samples, ${config.steps} steps of full-batch Adam, ${config.seeds.length} seeds (as many as make every interval narrow enough for a verdict, or the most that this size may take), readout entries N(0, n^(−2o)). Where the paper leaves a constant open, the one used here is our choice, not the paper's. Two levels, which are not the same thing:

- *feature level*: the largest rate at which the root mean square of Z_B stays within ${config.featureLimit} through training, bracketed by the grid, or by rates below it a decade apart, and bisected ${config.bisections} times.
- *output level*: the rate of least final loss, beside the largest rate that keeps the adapter's change of the output bounded.

What is derived is a bound on rates, for all t as n grows; what is measured is a threshold, or an optimum, after ${config.steps} steps at these widths.`,
        },
        { kind: "table", caption: "Exponents of the rates in the width", table },
        {
          kind: "text",
          text: `Intervals are Student's over seeds. A width with a censored seed (a minimum at the grid's edge, a limit never met) does not enter its slope. A verdict asks whether the interval holds the derived exponent.`,
        },
        ...config.readouts.flatMap((readout) => figures(runs, laws, readout)),
      ],
      findings,
      data: {
        "rate-laws": table,
        "rates-per-width": ratesPerWidth(laws),
        runs: runTable(finer),
        history: historyTable(runs),
      },
    }
  },
}

function figures(runs: readonly TeacherStudentRun[], laws: readonly RateLaw[], readout: number): SectionPart[] {
  const name = (figure: string) => `${figure}-readout-${String(readout).replace(".", "")}`
  const at = `Readout exponent o = ${readout}.`
  return [
    {
      kind: "figure",
      name: name("rates"),
      caption: `Rates against width with 95 % intervals over seeds, and the derived slopes through each scheme's first point. Hollow: a seed's rate lies beyond the rates that were run. ${at}`,
      spec: optimalRateFigure(...rateFigureData(laws, readout)),
    },
    {
      kind: "figure",
      name: name("features"),
      caption: `|Z_A| and |Z_B| through training at the grid's rate nearest to each scheme's best, one seed. ${at}`,
      spec: trajectoryFigure(trajectoryData(runs, laws, readout)),
    },
    {
      kind: "figure",
      name: name("loss"),
      caption: `Final loss against rate, geometric mean over seeds, least values marked; a curve ends where a run diverges. ${at}`,
      spec: lossFigure(lossData(runs, readout)),
    },
  ]
}

/** A law in a sentence. */
function lawText(law: RateLaw): string {
  const { scheme, readout, level, fit } = law
  const what = level === "features" ? "the largest rate with bounded features" : "the rate of least loss"
  const measured =
    fit.slope === null
      ? "no slope could be measured"
      : `measured ${powerLabel("n", fit.slope.exponent.toFixed(2))} in [${fit.slope.interval.low.toFixed(2)}, ${fit.slope.interval.high.toFixed(2)}]`
  return `Under ${scheme} at o = ${readout} ${what} is derived as ${powerLabel("n", boundOfRate(law).toFraction())}, ${measured}.`
}

/** Whether the interval holds the derived exponent, and is narrow enough to say so. */
function finding(law: RateLaw, runs: readonly TeacherStudentRun[], config: TeacherStudentConstants): SectionFinding {
  const { scheme, readout, level, fit } = law
  const derived = boundOfRate(law)
  const what = level === "features" ? "the largest rate with bounded features" : "the rate of least loss"
  const claim = `${scheme}, o = ${readout}: ${what} goes as ${powerLabel("n", derived.toFraction())}`
  if (fit.slope === null)
    return { claim, verdict: "inconclusive", why: "fewer than three widths lie within the grid: wider grids decide" }
  const { low, high } = fit.slope.interval
  const measured = `measured ${fit.slope.exponent.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`
  if (derived.valueOf() < low || derived.valueOf() > high)
    return {
      claim: `${claim}; ${measured}`,
      verdict: "contradicts",
      why: overshoot(law, runs, config) ?? crossover(law, config),
    }
  const half = (high - low) / 2
  if (half <= RULES.widestHalfWidth) return { claim: `${claim}; ${measured}`, verdict: "agrees", why: null }
  const needed = seedsToDecide({ low, high }, RULES.widestHalfWidth, config.seeds.length)
  return { claim, verdict: "inconclusive", why: `${measured}; about ${needed} seeds would decide` }
}

/** The exponents of the rates: a row per readout, scheme and level. */
function rateLawTable(laws: readonly RateLaw[]): ReportTable {
  return {
    columns: ["readout o", "scheme", "level", "derived", "exponent", "95 % low", "95 % high", "widths used"],
    rows: laws.map(({ readout, scheme, level, fit: { slope, widths } }) => [
      readout,
      scheme,
      level,
      boundOfRate({ readout, scheme, level }).toFraction(),
      slope?.exponent.toFixed(3) ?? null,
      slope?.interval.low.toFixed(3) ?? null,
      slope?.interval.high.toFixed(3) ?? null,
      widths.filter(({ censored }) => censored === 0).length,
    ]),
  }
}

/** Each rate at each width with its interval. */
function ratesPerWidth(laws: readonly RateLaw[]): ReportTable {
  return {
    columns: ["readout", "scheme", "level", "width", "rate", "low", "high", "censored seeds"],
    rows: laws.flatMap(({ readout, scheme, level, fit }) =>
      fit.widths.map(({ width, rate, low, high, censored }) => [
        readout,
        scheme,
        level,
        width,
        rate,
        low,
        high,
        censored,
      ]),
    ),
  }
}

/** Every run of the teacher-student experiment. */
function runTable(runs: readonly TeacherStudentRun[]): ReportTable {
  return {
    columns: [
      "readout",
      "scheme",
      "width",
      "seed",
      "rate",
      "backend",
      "outcome",
      "step",
      "loss",
      "zA",
      "zB",
      "outputChange",
    ],
    rows: runs.map(({ scheme, config, result: { backend, outcome, finalLoss, largest } }) => [
      config.readout,
      scheme,
      config.width,
      config.seed,
      config.rates.A,
      backend,
      outcome.kind,
      outcome.kind === "diverged" ? outcome.step : config.steps,
      finalLoss,
      largest.zA,
      largest.zB,
      largest.outputChange,
    ]),
  }
}

/** The coordinates through training, at the narrowest and widest width. */
function historyTable(runs: readonly TeacherStudentRun[]): ReportTable {
  const extremes = extremeWidths(runs)
  return {
    columns: ["readout", "scheme", "width", "seed", "rate", "step", "loss", "zA", "zB", "outputChange"],
    rows: runs
      .filter(({ config }) => extremes.includes(config.width))
      .flatMap(({ scheme, config, result }) =>
        result.history.map((record) => [
          config.readout,
          scheme,
          config.width,
          config.seed,
          config.rates.A,
          ...[record.step, record.loss, record.zA, record.zB, record.outputChange],
        ]),
      ),
  }
}

/** |Z_A| and |Z_B| through training at the grid's rate nearest to each scheme's best, first seed. */
function trajectoryData(
  runs: readonly TeacherStudentRun[],
  laws: readonly RateLaw[],
  readout: number,
): TrajectoryPoint[] {
  const extremes = extremeWidths(runs)
  return laws
    .filter((law) => law.readout === readout && law.level === "output")
    .flatMap(({ scheme, fit }) =>
      fit.widths
        .filter(({ width }) => extremes.includes(width))
        .flatMap(({ width, rate }) => {
          const candidates = runs.filter(
            ({ scheme: s, config: c }) => s === scheme && c.readout === readout && c.width === width,
          )
          const distance = (run: TeacherStudentRun) => Math.abs(Math.log(run.config.rates.A / rate))
          const best = candidates.reduce((x, y) => (distance(y) < distance(x) ? y : x))
          return best.result.history.flatMap(({ step, zA, zB }): TrajectoryPoint[] => [
            { scheme, width, quantity: "|Z_A|", step, value: zA },
            { scheme, width, quantity: "|Z_B|", step, value: zB },
          ])
        }),
    )
}

/** The geometric mean over seeds of the final loss at each rate; null where a seed diverged. */
function lossData(runs: readonly TeacherStudentRun[], readout: number): LossPoint[] {
  const own = runs.filter(({ config }) => config.readout === readout)
  return [...groupsOf(own, ({ scheme, config }) => `${scheme} ${config.width} ${config.rates.A}`).values()].map(
    (group): LossPoint => {
      const { scheme, config } = group[0]!
      const losses = group.map(({ result }) => (result.outcome.kind === "diverged" ? Number.NaN : result.finalLoss))
      const mean = logAverage(losses)
      return { scheme, width: config.width, rate: config.rates.A, loss: Number.isFinite(mean) ? mean : null }
    },
  )
}

function extremeWidths(runs: readonly TeacherStudentRun[]): number[] {
  const widths = runs.map(({ config }) => config.width)
  return [Math.min(...widths), Math.max(...widths)]
}
