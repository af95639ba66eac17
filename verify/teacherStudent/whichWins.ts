/** Question: which start ends with less loss, at its own best rate, at the same rate, and far below both bounds? */
import { logAverage } from "simple-statistics"
import { type PairedDifference, pairedDifference } from "../../src/fit/paired.js"
import { type AdvantagePoint, advantageFigure } from "../../src/report/figures/advantage.js"
import type { Section, SectionFinding } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import { groupsOf } from "../../src/table/groups.js"
import { seedsToDecide } from "../compare/deciding.js"
import type { Experiment } from "../experiment.js"
import { boundOfRate } from "./boundOfRate.js"
import { COMPARED, configOf, decidedRuns, mostRuns, type TeacherStudentRun } from "./teacherStudent.js"

const ID = "which-wins"
const TITLE = "Which start wins at which budget"

/** Steps of training after which losses are compared: parts of the whole. */
const BUDGETS = [0.1, 1 / 3, 1]

/** The two schemes that are compared. */
const [FIRST, SECOND] = COMPARED as [(typeof COMPARED)[number], (typeof COMPARED)[number]]

/** A rate this many times below the second's best is far below both schemes' bounds. */
const FAR_BELOW = 10

/** The losses of one scheme at one rate, a seed each; infinite where a run had diverged. */
interface Losses {
  readonly rate: number
  readonly bySeed: ReadonlyMap<number, number>
}

/** Both schemes at one readout, width and number of steps. */
interface Duel {
  readonly readout: number
  readonly width: number
  readonly steps: number
  /** Of the first scheme and of the second. */
  readonly best: readonly [Losses, Losses]
  readonly atBest: PairedDifference
  /** Rates that both schemes were run at, with the difference there; null where a run diverged. */
  readonly atSame: readonly { readonly rate: number; readonly difference: PairedDifference | null }[]
  /** The mean of the differences far below both bounds; null if the grid has no such rate. */
  readonly farBelow: PairedDifference | null
}

/** The runs are those of the teacher-student experiment. */
export const whichWins: Experiment = {
  id: ID,
  title: TITLE,
  configuration: (effort) => ({ ...configOf(effort, "most"), budgets: BUDGETS, farBelow: FAR_BELOW }),
  tasks: mostRuns,
  run: async (effort, options) => {
    const { config, grid: runs } = await decidedRuns(effort, options)
    const budgets = BUDGETS.map((part) => nearest(recorded(runs), part * config.steps))
    const duels = budgets.flatMap((steps) =>
      [...groupsOf(runs, ({ config: { readout, width } }) => `${readout} ${width}`).values()].map((group) =>
        duel(group, steps),
      ),
    )
    return section(duels, config.seeds.length)
  },
}

function recorded(runs: readonly TeacherStudentRun[]): number[] {
  return [...new Set(runs.flatMap(({ result }) => result.history.map(({ step }) => step)))].filter((step) => step > 0)
}

function nearest(steps: readonly number[], wanted: number): number {
  return steps.reduce((best, step) => (Math.abs(step - wanted) < Math.abs(best - wanted) ? step : best))
}

function duel(runs: readonly TeacherStudentRun[], steps: number): Duel {
  const { readout, width } = runs[0]!.config
  const lossesOf = (wanted: string): Losses[] =>
    [
      ...groupsOf(
        runs.filter(({ scheme }) => scheme === wanted),
        ({ config }) => String(config.rates.A),
      ).values(),
    ].map((group) => ({
      rate: group[0]!.config.rates.A,
      bySeed: new Map(
        group.map(({ config, result }) => {
          const loss = result.history.find(({ step }) => step === steps)?.loss ?? Number.POSITIVE_INFINITY
          return [config.seed, Number.isFinite(loss) ? loss : Number.POSITIVE_INFINITY]
        }),
      ),
    }))
  const [first, second] = [lossesOf(FIRST.title), lossesOf(SECOND.title)]
  const best = [least(first), least(second)] as const
  const atSame = first.flatMap((a) => {
    const b = second.find(({ rate }) => rate === a.rate)
    return b === undefined ? [] : [{ rate: a.rate, ratios: logRatios(a, b) }]
  })
  const far = atSame.filter(({ rate, ratios }) => rate * FAR_BELOW <= best[1].rate && ratios !== null)
  const means = far[0]?.ratios?.map((_, seed) => far.reduce((sum, { ratios }) => sum + ratios![seed]!, 0) / far.length)
  return {
    readout,
    width,
    steps,
    best,
    atBest: pairedDifference(logRatios(...best)!),
    atSame: atSame.map(({ rate, ratios }) => ({ rate, difference: ratios && pairedDifference(ratios) })),
    farBelow: means === undefined ? null : pairedDifference(means),
  }
}

/** The rate of least geometric mean over seeds. */
function least(losses: readonly Losses[]): Losses {
  const mean = ({ bySeed }: Losses) => logAverage([...bySeed.values()])
  return losses.reduce((best, one) => (mean(one) < mean(best) ? one : best))
}

/** log(loss of the first / loss of the second) by seed; null where one diverged. */
function logRatios(a: Losses, b: Losses): number[] | null {
  const ratios = [...a.bySeed].map(([seed, loss]) => Math.log(loss / b.bySeed.get(seed)!))
  return ratios.every(Number.isFinite) ? ratios : null
}

function section(duels: readonly Duel[], seeds: number): Section {
  const table = duelTable(duels)
  const last = Math.max(...duels.map(({ steps }) => steps))
  const readouts = [...new Set(duels.map(({ readout }) => readout))]
  return {
    id: ID,
    title: TITLE,
    answer: {
      question: "Which start wins, at its own best rate, at the same rate, and far below both bounds?",
      text: answerText(duels.filter(({ steps }) => steps === last)),
    },
    claim:
      "The paper finds Init[A] ahead at each scheme's best rate (arXiv 2406.08447); a public report finds Init[B] ahead at every " +
      "rate it tried (1e-6 … 1e-5, marin-community/marin#4755). Both can be right: far below both bounds the bound does not decide.",
    parts: [
      {
        kind: "text",
        text: `The runs of the teacher-student experiment, losses compared after ${[...new Set(duels.map(({ steps }) => steps))].join(", ")} steps, ${seeds} seeds. Differences are of the logarithm of the loss, Init[A] less Init[B], paired by seed (same data, same frozen network): below 0 Init[A] is ahead. Intervals are Student's. *Far below*: rates at most 1/${FAR_BELOW} of Init[B]'s best. There a first step of size η moves the output by n^(1/2) more under Init[B] than under Init[A] (both derived: \`derive init-a\`, \`derive init-b\`, \`f\` at t = 1), so it is ahead while rates, not bounds, are what limits both. The first claim is made where the output's derived bounds differ; at a readout exponent where they are one power (o = 1) nothing derived says which is ahead at its best.`,
      },
      ...readouts.map((readout) => ({
        kind: "figure" as const,
        name: `same-rate-readout-${String(readout).replace(".", "")}`,
        caption: `Loss of Init[A] over that of Init[B] at the same rate after ${last} steps, geometric mean over seeds; a curve ends where a run diverges. Readout exponent o = ${readout}.`,
        spec: advantageFigure(duels.filter((one) => one.readout === readout && one.steps === last).flatMap(points)),
      })),
      { kind: "table", caption: "Each at its own best rate, and both far below their bounds", table },
    ],
    findings: duels.filter(({ steps }) => steps === last).flatMap((one) => findings(one, seeds)),
    data: { duels: table, "same-rate": sameRateTable(duels) },
  }
}

/** At how many widths and readouts each start is surely ahead, and at how many nobody can tell. */
function answerText(duels: readonly Duel[]): string {
  const counted = (differences: readonly PairedDifference[]) => {
    const first = differences.filter(({ high }) => high < 0).length
    const second = differences.filter(({ low }) => low > 0).length
    return `${FIRST.title} is ahead at ${first}, ${SECOND.title} at ${second} of ${differences.length} widths and readouts; the others are too close to call`
  }
  const best = counted(duels.map(({ atBest }) => atBest))
  const far = counted(duels.flatMap(({ farBelow }) => farBelow ?? []))
  return `Each at its own best rate, ${best}. At the same rate far below both bounds, ${far}.`
}

/** Two claims at the end of training: the paper's, and the report's that seems to oppose it. */
function findings({ readout, width, steps, atBest, farBelow }: Duel, seeds: number): SectionFinding[] {
  const at = `n = ${width}, o = ${readout}, ${steps} steps`
  const judged = (claim: string, { mean, low, high }: PairedDifference, sign: 1 | -1): SectionFinding => {
    if (sign * low > 0 && sign * high > 0) return { claim, verdict: "agrees", why: null }
    const why = `log ratio ${mean.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`
    if (sign * low < 0 && sign * high < 0) return { claim, verdict: "contradicts", why: null }
    const needed = seedsToDecide({ low, high }, Math.abs(mean), seeds)
    return { claim, verdict: "inconclusive", why: `${why}; about ${needed} seeds would decide` }
  }
  // Where both outputs have one bound nothing says which is ahead.
  const isAhead = boundOfRate({ scheme: FIRST.title, readout, level: "output" }).compare(
    boundOfRate({ scheme: SECOND.title, readout, level: "output" }),
  )
  const own =
    isAhead > 0
      ? [
          judged(
            `${FIRST.title} ends with less loss than ${SECOND.title}, each at its own best rate (${at})`,
            atBest,
            -1,
          ),
        ]
      : []
  return [
    ...own,
    ...(farBelow === null
      ? []
      : [judged(`${SECOND.title} ends with less loss at the same rate, far below both bounds (${at})`, farBelow, 1)]),
  ]
}

function duelTable(duels: readonly Duel[]): ReportTable {
  const geometric = ({ bySeed }: Losses) => logAverage([...bySeed.values()])
  const text = (one: PairedDifference | null) =>
    one && `${one.mean.toFixed(2)} [${one.low.toFixed(2)}, ${one.high.toFixed(2)}]`
  return {
    columns: ["o", "steps", "n", "best rate A", "loss A", "best rate B", "loss B", "difference", "far below"],
    rows: duels.map(({ readout, steps, width, best: [a, b], atBest, farBelow }) => [
      readout,
      steps,
      width,
      a.rate.toPrecision(2),
      geometric(a).toPrecision(3),
      b.rate.toPrecision(2),
      geometric(b).toPrecision(3),
      text(atBest),
      text(farBelow),
    ]),
  }
}

function sameRateTable(duels: readonly Duel[]): ReportTable {
  return {
    columns: ["readout", "steps", "width", "rate", "log ratio", "low", "high"],
    rows: duels.flatMap(({ readout, steps, width, atSame }) =>
      atSame.map(({ rate, difference }) => [
        readout,
        steps,
        width,
        rate,
        difference?.mean ?? null,
        difference?.low ?? null,
        difference?.high ?? null,
      ]),
    ),
  }
}

function points({ width, atSame }: Duel): AdvantagePoint[] {
  return atSame.flatMap(({ rate, difference }) =>
    difference === null ? [] : [{ width, rate, ratio: Math.exp(difference.mean) }],
  )
}
