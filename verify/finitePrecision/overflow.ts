/**
 * Claim: which tensor overflows float16 first, and at which width, follows from fits of every tensor's largest entry at
 * narrower widths, within a factor of two.
 */
import { type Extreme, type ExtremeGrowth, growths } from "../../src/fit/extremes.js"
import { type SweepOptions, sweep } from "../../src/sweep/sweep.js"
import { FORMATS, type PrecisionName } from "../../src/train/precision.js"
import { type PrecisionConfig, precisionOf } from "../../src/train/precisionConfig.js"
import type { RunResult } from "../../src/train/run.js"
import type { Task } from "../../src/train/task.js"
import { FIRST_SEED } from "../compare/seeds.js"
import { type Setting, settingAt } from "../compare/setting.js"
import { powersOfTwo } from "../compare/widths.js"

/** One prediction: a scheme with its rate constant, read in a precision for so many steps. */
export interface OverflowCase {
  readonly name: string
  readonly setting: Setting
  /** η₀ of the rates η₀ n^c. */
  readonly rateConstant: number
  readonly steps: number
  readonly rank: number
  readonly precision: PrecisionConfig
  /** Where the largest entries are fitted. */
  readonly fitWidths: readonly number[]
  readonly seeds: number
  readonly firstSeed: number
  /** The widest width that is run; beyond it a prediction is an extrapolation. */
  readonly widest: number
}

/** When a tensor is predicted to overflow. */
export interface PredictedTensor {
  readonly tensor: string
  readonly format: PrecisionName
  readonly model: ExtremeGrowth["model"]
  readonly exponent: number
  readonly width: number
  /** By the other model. */
  readonly otherWidth: number
  /** The least and the greatest width that a single seed's fit gives. */
  readonly range: readonly [number, number]
}

/** What was run around the predicted width. */
export interface OverflowRuns {
  readonly width: number
  /** How many of the seeds overflowed, by the tensor that did so first. */
  readonly overflowed: Readonly<Record<string, number>>
  readonly seeds: number
}

/** Predicted and met. */
export interface OverflowVerdict {
  readonly case: OverflowCase
  /** The tensors that are predicted to overflow at all, the narrowest width first. */
  readonly predicted: readonly PredictedTensor[]
  readonly runs: readonly OverflowRuns[]
  /** The narrowest width run at which most seeds overflow, and the next narrower one; null if there is none. */
  readonly met: { readonly tensor: string; readonly width: number; readonly above: number } | null
  /** An extrapolation is not run. */
  readonly verdict: "met" | "missed" | "extrapolated"
  readonly why: string
}

/** Widths run beside the predicted one, as factors: a factor of two to either side. */
const FACTORS = [1 / 2, Math.SQRT1_2, 1, Math.SQRT2, 2]

/** The verdict on one case. */
export async function overflow(given: OverflowCase, options: SweepOptions): Promise<OverflowVerdict> {
  const narrow = await runsAt(given, given.fitWidths, options)
  const predicted = predictions(narrow)
  const [first] = predicted
  if (first !== undefined && Math.SQRT2 * first.width > given.widest)
    return {
      case: given,
      predicted,
      runs: [],
      met: null,
      verdict: "extrapolated",
      why: `predicted beyond what is run (${given.widest})`,
    }
  const widths = first === undefined ? [given.widest] : FACTORS.map((factor) => Math.round(factor * first.width))
  const within = widths.filter((width) => width <= given.widest)
  const runs = (await runsAt(given, within, options)).map(({ width, results }) => ({
    width,
    overflowed: countByTensor(results),
    seeds: given.seeds,
  }))
  return { case: given, predicted, runs, ...judgeOverflow(first ?? null, runs) }
}

/** Whether the runs meet the prediction; null predicts that nothing overflows. */
export function judgeOverflow(
  first: PredictedTensor | null,
  runs: readonly OverflowRuns[],
): Pick<OverflowVerdict, "met" | "verdict" | "why"> {
  const most = ({ overflowed, seeds }: OverflowRuns) =>
    Object.entries(overflowed).find(([, count]) => count > seeds / 2)?.[0] ?? null
  const any = ({ overflowed, seeds }: OverflowRuns) =>
    Object.values(overflowed).reduce((sum, count) => sum + count, 0) > seeds / 2
  const index = runs.findIndex(any)
  const run = runs[index]
  const met =
    run === undefined
      ? null
      : { tensor: most(run) ?? "none of them most often", width: run.width, above: runs[index - 1]?.width ?? 0 }
  if (first === null)
    return met === null
      ? { met, verdict: "met", why: `predicted that nothing overflows, and nothing does at ${runs.at(-1)?.width}` }
      : { met, verdict: "missed", why: `predicted that nothing overflows, but ${met.tensor} does at ${met.width}` }
  if (met === null) return { met, verdict: "missed", why: `nothing overflows up to ${runs.at(-1)?.width}` }
  if (index === 0) return { met, verdict: "missed", why: `${met.tensor} overflows at half the predicted width` }
  if (met.tensor !== first.tensor)
    return { met, verdict: "missed", why: `predicted ${first.tensor}, but ${met.tensor} overflows first` }
  return { met, verdict: "met", why: `${met.tensor} overflows between ${met.above} and ${met.width}` }
}

/** Every tensor that the fits let overflow at some width. */
function predictions(
  runs: readonly { readonly width: number; readonly results: readonly RunResult[] }[],
): PredictedTensor[] {
  const tensors = runs[0]!.results[0]!.precision!.tensors
  return Object.entries(tensors)
    .flatMap(([tensor, { format }]): PredictedTensor[] => {
      const { max, most, digits } = FORMATS[format]
      // Half a last digit above the largest number: from there on (in e4m3 beyond it) rounding goes up.
      const limit = max + 2 ** (most - digits)
      const perSeed = runs[0]!.results.map((_, seed) =>
        runs.map(
          ({ width, results }): Extreme => ({
            width,
            largest: results[seed]!.precision!.tensors[tensor]?.largest ?? 0,
          }),
        ),
      )
      const fits = growths(perSeed.flat())
      if (fits.length === 0) return []
      const [best, other] = fits as [ExtremeGrowth, ExtremeGrowth]
      const width = best.widthAt(limit)
      if (width === Number.POSITIVE_INFINITY) return []
      const single = perSeed.map((extremes) =>
        growths(extremes)
          .find(({ model }) => model === best.model)!
          .widthAt(limit),
      )
      const range = [Math.min(...single), Math.max(...single)] as const
      const { model, exponent } = best
      return [{ tensor, format, model, exponent, width, otherWidth: other.widthAt(limit), range }]
    })
    .sort((x, y) => x.width - y.width)
}

function countByTensor(results: readonly RunResult[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of results)
    if (outcome.kind === "overflowed") counts[outcome.tensor] = (counts[outcome.tensor] ?? 0) + 1
  return counts
}

async function runsAt(
  { setting, rateConstant, steps, rank, precision, seeds, firstSeed }: OverflowCase,
  widths: readonly number[],
  options: SweepOptions,
): Promise<{ width: number; results: readonly RunResult[] }[]> {
  const definition = { ...setting.definition, rateConstants: { A: rateConstant, B: rateConstant } }
  const tasks = widths.flatMap((width) =>
    Array.from({ length: seeds }, (_, i) => ({
      kind: "scheme" as const,
      definition,
      values: setting.values,
      config: { width, rank, steps, precision },
      seeds: [firstSeed + i],
    })),
  ) satisfies Task[]
  const results = await sweep(tasks, options)
  return widths.map((width, i) => ({ width, results: results.slice(i * seeds, (i + 1) * seeds).flat() }))
}

const COMMON = { rank: 4, steps: 3, seeds: 3, firstSeed: FIRST_SEED.overflow, widest: 2 ** 20 }

function sign(name: string, values: Record<string, string>): Setting {
  return settingAt(name, values, { optimiser: "sign" })
}

/** The cases: η₀ is chosen so that the predicted width can be run; at η₀ = 1 the same law is an extrapolation. */
export const OVERFLOW_CASES: readonly OverflowCase[] = [
  {
    ...COMMON,
    name: "init-a",
    setting: sign("init-a", { c: "-1/2" }),
    rateConstant: 8,
    precision: precisionOf("float16"),
    fitWidths: powersOfTwo(8, 13),
  },
  {
    ...COMMON,
    name: "init-a-above-its-bound",
    setting: sign("init-a", { c: "-1/4" }),
    rateConstant: 1,
    precision: precisionOf("float16"),
    fitWidths: powersOfTwo(5, 10),
  },
  {
    ...COMMON,
    name: "lora-plus",
    setting: sign("lora-plus", { cA: "-1", cB: "0" }),
    rateConstant: 8,
    precision: precisionOf("float16"),
    fitWidths: powersOfTwo(8, 13),
  },
  {
    ...COMMON,
    name: "init-b",
    setting: sign("init-b", { c: "-1" }),
    rateConstant: 8,
    precision: precisionOf("float16"),
    fitWidths: powersOfTwo(8, 13),
    seeds: 2,
  },
  {
    ...COMMON,
    name: "init-a-mean-field-readout",
    setting: sign("init-a", { c: "-1/2", o: "1" }),
    rateConstant: 36,
    steps: 4,
    precision: precisionOf("float16"),
    fitWidths: powersOfTwo(8, 13),
    seeds: 3,
  },
  {
    ...COMMON,
    name: "init-a-zA-alone",
    setting: sign("init-a", { c: "-1/2" }),
    rateConstant: 36,
    steps: 4,
    precision: precisionOf("float64", { tensors: { zA: "float16" } }),
    fitWidths: powersOfTwo(8, 13),
    seeds: 3,
  },
  {
    ...COMMON,
    name: "init-a-sums-in-float16",
    setting: sign("init-a", { c: "-1/2" }),
    rateConstant: 8,
    precision: precisionOf("float16", { accumulator: "float16" }),
    fitWidths: powersOfTwo(12, 15),
    seeds: 2,
    widest: 2 ** 18,
  },
  {
    ...COMMON,
    name: "init-a-rate-constant-1",
    setting: sign("init-a", { c: "-1/2" }),
    rateConstant: 1,
    precision: precisionOf("float16"),
    fitWidths: powersOfTwo(11, 16),
    seeds: 3,
  },
]
