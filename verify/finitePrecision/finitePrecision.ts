/**
 * Question: what does Z_A's growth under Init[A] cost in the number formats that people train in, and what removes it?
 */
import type { Section, SectionFinding } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import { type SweepOptions, sweep } from "../../src/sweep/sweep.js"
import { PRECISIONS, type PrecisionName } from "../../src/train/precision.js"
import { type PrecisionConfig, precisionOf } from "../../src/train/precisionConfig.js"
import type { RunResult } from "../../src/train/run.js"
import type { Task } from "../../src/train/task.js"
import { verdictsAnswer } from "../compare/answers.js"
import type { Budget } from "../compare/budget.js"
import type { MeasuredClaim } from "../compare/claim.js"
import { taskCount } from "../compare/measure.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { type Setting, settingName } from "../compare/setting.js"
import type { Effort, Experiment } from "../experiment.js"
import { LOST_BUDGET, type LostVerdict, lostUpdates } from "./lostUpdates.js"
import { OVERFLOW_CASES, type OverflowVerdict, overflow } from "./overflow.js"
import { lostTable, overflowTable } from "./overflowTables.js"
import {
  CHANGED,
  type Float64Runs,
  finalLoss,
  growthClaims,
  growthTable,
  PLAIN,
  priceTable,
  REPLACED,
  remedyAnswer,
  remedyFindings,
  remedyParts,
} from "./remedies.js"

const ID = "finite-precision"
const TITLE = "Internal instability in finite precision"

/** Init[A] and what is said to help, at the largest rates that keep the output bounded. */
const SETTINGS = [PLAIN, ...CHANGED, ...REPLACED].map(({ setting }) => setting)

/**
 * The format of every tensor, and narrow formats with the optimiser's state in float32, as mixed precision keeps it.
 */
const VARIANTS: readonly { readonly name: string; readonly precision: PrecisionConfig }[] = [
  ...PRECISIONS.map((name) => ({ name, precision: precisionOf(name) })),
  ...(["bfloat16", "float16", "e4m3"] satisfies PrecisionName[]).map((name) => ({
    name: `${name}, state float32`,
    precision: precisionOf(name, { state: "float32" }),
  })),
]

interface Size {
  /** The names of the overflow cases. */
  readonly cases: readonly string[]
  readonly widths: readonly number[]
  readonly steps: number
  readonly seeds: number
  /** In float64, which the price of a remedy is measured in. */
  readonly float64Seeds: number
  /** The widest width of Init[A] trained otherwise in formats other than float64. */
  readonly widestChanged: number
  /** Where Z_A's growth is measured, and after which step. */
  readonly growth: Omit<Budget, "rank" | "firstSeed">
}

const RANK = 4

const SIZES: Readonly<Record<Effort["size"], Size>> = {
  quick: {
    cases: ["init-a-above-its-bound"],
    widths: [256, 1024],
    steps: 10,
    seeds: 2,
    float64Seeds: 8,
    widestChanged: 1024,
    growth: { widths: [16, 64, 256, 1024, 4096], steps: 2, seeds: 24 },
  },
  full: {
    cases: OVERFLOW_CASES.map(({ name }) => name),
    widths: [256, 1024, 4096, 16384],
    steps: 30,
    seeds: 8,
    float64Seeds: 8,
    widestChanged: 4096,
    growth: { widths: [64, 256, 1024, 4096, 16384, 65536], steps: 3, seeds: 40, seedsPerTask: 4 },
  },
}

/** Losses of one scheme at one width, a format each. */
interface Losses {
  readonly setting: Setting
  readonly width: number
  readonly byFormat: ReadonlyMap<string, readonly RunResult[]>
  /** Those in float64 with all their seeds. */
  readonly float64: Float64Runs
}

function growthBudget({ size, seeds }: Effort): Budget {
  const { growth } = SIZES[size]
  return { ...growth, rank: RANK, firstSeed: FIRST_SEED.finitePrecision, seeds: seeds * growth.seeds }
}

/** Overflow, lost updates and losses in float64 … e4m3. */
export const finitePrecision: Experiment = {
  id: ID,
  title: TITLE,
  configuration: ({ size }) => ({ ...SIZES[size], settings: SETTINGS.map(settingName), lostUpdates: LOST_BUDGET }),
  tasks: (effort) =>
    SIZES[effort.size].cases.length + 1 + tasksOf(effort.size, 1).length + taskCount(SETTINGS, growthBudget(effort)),
  run: async (effort, options) => {
    const { size, seeds } = effort
    const quiet = { ...options, onFinished: () => {} }
    const verdicts: OverflowVerdict[] = []
    for (const given of OVERFLOW_CASES.filter(({ name }) => SIZES[size].cases.includes(name))) {
      verdicts.push(await overflow(given, quiet))
      options.onFinished?.()
    }
    const lost = await lostUpdates(LOST_BUDGET, quiet)
    options.onFinished?.()
    const claims = await growthClaims(growthBudget(effort), options)
    return section(verdicts, lost, await losses(size, seeds, options), claims, size)
  },
}

function tasksOf(size: Effort["size"], factor: number): (Extract<Task, { kind: "scheme" }> & { format: string })[] {
  const { widths, steps, seeds, float64Seeds, widestChanged } = SIZES[size]
  const isChanged = (setting: Setting) => CHANGED.some((remedy) => remedy.setting === setting)
  return [...widths].reverse().flatMap((width) =>
    SETTINGS.flatMap((setting) =>
      VARIANTS.filter(({ name }) => name === "float64" || width <= widestChanged || !isChanged(setting)).map(
        ({ name, precision }) => ({
          format: name,
          kind: "scheme" as const,
          ...setting,
          config: { width, rank: RANK, steps, precision },
          seeds: Array.from(
            { length: factor * (name === "float64" ? float64Seeds : seeds) },
            (_, i) => FIRST_SEED.finitePrecision + i,
          ),
        }),
      ),
    ),
  )
}

async function losses(size: Effort["size"], factor: number, options: SweepOptions): Promise<Losses[]> {
  const tasks = tasksOf(size, factor)
  const results = await sweep(
    tasks.map(({ format: _, ...task }) => task),
    options,
  )
  return SIZES[size].widths.flatMap((width) =>
    SETTINGS.map((setting) => {
      const byFormat = new Map(
        tasks.flatMap((task, i) =>
          task.config.width === width && task.definition === setting.definition ? [[task.format, results[i]!]] : [],
        ),
      )
      const float64 = { setting, width, runs: byFormat.get("float64")! }
      // Formats are compared on the same seeds.
      byFormat.set("float64", float64.runs.slice(0, factor * SIZES[size].seeds))
      return { setting, width, byFormat, float64 }
    }),
  )
}

function section(
  verdicts: readonly OverflowVerdict[],
  lost: LostVerdict,
  measured: readonly Losses[],
  claims: readonly MeasuredClaim[],
  size: Effort["size"],
): Section {
  const { steps } = SIZES[size]
  const [lostCaption, lostRows] = lostTable(lost)
  const table = lossTable(measured)
  const float64 = measured.map((losses) => losses.float64)
  const predictions = [...verdicts.map(overflowFinding), lostFinding(lost)]
  return {
    id: ID,
    title: TITLE,
    answer: {
      question: "What overflows, which updates are lost, what removes Z_A's growth, and what does that cost?",
      text: `Is it predicted from narrower widths? ${verdictsAnswer("predictions", predictions)} Most updates of B are lost in bfloat16 from about n = ${lost.predicted} on. ${remedyAnswer()}`,
    },
    claim:
      "Under Init[A] at its largest rate Z_A grows as n^(1/2) (arXiv 2406.08447, proposition on internal instability). Does that " +
      "matter in float16, bfloat16 and e4m3, at which width, and what removes it?",
    parts: [
      {
        kind: "text",
        text: "Each tensor's largest entry is fitted at narrow widths; the width at which the first of them leaves float16 is predicted from the fits and then run. A case whose prediction is wider than 2^20 is an extrapolation and is not run.",
      },
      { kind: "table", caption: "Overflow of float16, predicted and met", table: overflowTable(verdicts) },
      { kind: "table", caption: lostCaption, table: lostRows },
      {
        kind: "text",
        text: `The price in loss: ${steps} steps of Adam on a squared loss of four samples, every tensor in the format, or all but the optimiser's state, sums in float32. LoRA+ at (−1, −1/2) keeps both Z_A and the output bounded. A loss is the geometric mean over seeds at the last step, over that of float64; *overflowed* counts seeds, *first* is the tensor that left the format first (Adam's second moment below the format's smallest number makes its quotient infinite), *lost* the part of updates that left an entry of A or B as it was.`,
      },
      { kind: "table", caption: "Loss by number format", table },
      ...remedyParts(claims, float64, steps),
    ],
    findings: [...predictions, ...remedyFindings(claims)],
    data: {
      overflow: overflowTable(verdicts),
      "lost-updates": lostRows,
      losses: table,
      growth: growthTable(claims),
      prices: priceTable(float64),
    },
  }
}

function overflowFinding({
  case: { name, widest },
  predicted: [first],
  verdict,
  why,
}: OverflowVerdict): SectionFinding {
  const at =
    first === undefined
      ? "nothing overflows"
      : `${first.tensor} overflows first, at about n = ${Math.round(first.width)}`
  const claim = `${name}: as predicted from narrower widths, ${at}`
  if (verdict === "met") return { claim, verdict: "agrees", why: null }
  if (verdict === "missed") return { claim: `${claim}; but ${why}`, verdict: "contradicts", why: null }
  return { claim, verdict: "inconclusive", why: `wider than ${widest}, which is as far as is run: ${why}` }
}

function lostFinding({ predicted, verdict }: LostVerdict): SectionFinding {
  const claim = `Init[B] at c = -1: most updates of B are lost in bfloat16 from about n = ${predicted} on`
  return { claim, verdict: verdict === "met" ? "agrees" : "contradicts", why: null }
}

function lossTable(measured: readonly Losses[]): ReportTable {
  return {
    columns: ["scheme", "n", "format", "loss", "over float64", "overflowed", "first", "updates lost"],
    rows: measured.flatMap(({ setting, width, byFormat }) => {
      const reference = finalLoss(byFormat.get("float64")!)
      return [...byFormat].map(([format, runs]) => {
        const loss = finalLoss(runs)
        const overflowed = runs.filter(({ outcome }) => outcome.kind === "overflowed").length
        return [
          settingName(setting),
          width,
          format,
          loss?.toPrecision(3) ?? "none",
          loss === null || reference === null ? null : (loss / reference).toPrecision(3),
          `${overflowed} of ${runs.length}`,
          firstOverflow(runs),
          lostShare(runs),
        ]
      })
    }),
  }
}

/** The tensor that left its format, and when, in the first run that ended so. */
function firstOverflow(runs: readonly RunResult[]): string {
  for (const { outcome } of runs) if (outcome.kind === "overflowed") return `${outcome.tensor}, t = ${outcome.step}`
  return ""
}

/** Entries of A and B that an update other than zero left as they were, as a part of all that were rounded. */
function lostShare(runs: readonly RunResult[]): string {
  const counts = runs.flatMap(({ precision }) =>
    precision === undefined ? [] : [precision.tensors.A!, precision.tensors.B!],
  )
  const lost = counts.reduce((sum, { lostUpdates: count }) => sum + count, 0)
  const rounded = counts.reduce((sum, { entries }) => sum + entries, 0)
  return `${((100 * lost) / Math.max(1, rounded)).toFixed(1)} %`
}
