/**
 * The paper's synthetic experiment: which learning rate is best, and which is the largest that keeps the features
 * bounded, at each width, for Init[A] and Init[B].
 *
 * Feature level: the largest rate at which |Z_B| stays within a limit. Output level: the rate of least loss. They are two
 * things; every number says which it is.
 */
import { type LocatedAtWidth, optimalRate, type RateFit, rateAgainstWidth, thresholdRate } from "../src/fit/optimum.js"
import { rateGrid } from "../src/sweep/rates.js"
import { type SweepOptions, sweep } from "../src/sweep/sweep.js"
import { STARTS as BY_NAME } from "../src/sweep/teacherStudent.js"
import type { SyntheticResult } from "../src/train/synthetic.js"
import type { SyntheticConfig } from "../src/train/syntheticConfig.js"
import type { Task } from "../src/train/task.js"
import type { Effort } from "./experiment.js"

/** The experiment's constants. The paper's own, where it leaves them open, are not known; these are ours. */
export interface TeacherStudentConfig {
  readonly widths: readonly number[]
  readonly rank: number
  readonly inputs: number
  readonly samples: number
  readonly teacherWidth: number
  readonly steps: number
  readonly seeds: readonly number[]
  /** Readout exponents o: 1/2 is standard, 1 is mean-field. */
  readonly readouts: readonly number[]
  readonly rates: { readonly from: number; readonly to: number; readonly perDecade: number }
  /** The features count as bounded while the root mean square of Z_B stays within this. */
  readonly featureLimit: number
  readonly recordEvery: number
}

const QUICK: TeacherStudentConfig = {
  widths: [128, 256, 512, 1024, 2048],
  rank: 4,
  inputs: 5,
  samples: 64,
  teacherWidth: 64,
  steps: 100,
  seeds: [1, 2, 3, 4],
  readouts: [0.5, 1],
  rates: { from: 1e-5, to: 10, perDecade: 3 },
  featureLimit: 2,
  recordEvery: 2,
}

const FULL: TeacherStudentConfig = {
  ...QUICK,
  widths: [128, 256, 512, 1024, 2048, 4096, 8192],
  samples: 1000,
  steps: 300,
  seeds: [1, 2, 3, 4, 5],
  rates: { from: 1e-4, to: 10, perDecade: 3 },
  recordEvery: 10,
}

/** More seeds follow the size's own. */
export function configOf({ size, seeds }: Effort): TeacherStudentConfig {
  const config = size === "quick" ? QUICK : FULL
  return { ...config, seeds: Array.from({ length: seeds * config.seeds.length }, (_, i) => 1 + i) }
}

/** The two schemes at one rate for both factors, by the deviations of their starting entries at width n, rank r. */
const STARTS = { "Init[A]": BY_NAME["init-a"], "Init[B]": BY_NAME["init-b"] } as const

export type SyntheticScheme = keyof typeof STARTS

/** One run of the experiment. */
export interface SyntheticRun {
  readonly scheme: SyntheticScheme
  readonly config: SyntheticConfig
  readonly result: SyntheticResult
}

/** The exponent of a rate at one level. */
export interface RateLaw {
  readonly scheme: SyntheticScheme
  readonly readout: number
  readonly level: "features" | "output"
  readonly fit: RateFit
}

/** All runs that the experiment needs; runs that share data stand together. */
export function plan(config: TeacherStudentConfig): { scheme: SyntheticScheme; config: SyntheticConfig }[] {
  const { widths, seeds, readouts, rates, rank, inputs, samples, teacherWidth, steps, recordEvery } = config
  const fixed = { rank, inputs, samples, teacherWidth, steps, recordEvery }
  const schemes = Object.keys(STARTS) as SyntheticScheme[]
  return widths.flatMap((width) =>
    seeds.flatMap((seed) =>
      readouts.flatMap((readout) =>
        schemes.flatMap((scheme) =>
          rateGrid(rates).map((rate) => ({
            scheme,
            config: { ...fixed, width, seed, readout, start: STARTS[scheme](width, rank), rates: { A: rate, B: rate } },
          })),
        ),
      ),
    ),
  )
}

/** Runs the experiment. */
export async function teacherStudent(config: TeacherStudentConfig, options: SweepOptions): Promise<SyntheticRun[]> {
  const runs = plan(config)
  const results = await sweep(
    runs.map((run) => ({ kind: "synthetic", backend: "cpu", config: run.config }) satisfies Task),
    options,
  )
  return runs.map((run, i) => ({ ...run, result: results[i]! }))
}

/** The four rate laws of each readout: both schemes at both levels. */
export function rateLaws(runs: readonly SyntheticRun[], { readouts, featureLimit }: TeacherStudentConfig): RateLaw[] {
  return readouts.flatMap((readout) =>
    (Object.keys(STARTS) as SyntheticScheme[]).flatMap((scheme) =>
      (["features", "output"] as const).map((level): RateLaw => {
        const own = runs.filter((run) => run.scheme === scheme && run.config.readout === readout)
        const located = groupBy(own, ({ config }) => `${config.width} ${config.seed}`).map((group): LocatedAtWidth => {
          const { width, seed } = group[0]!.config
          const grid = group.map(({ config, result }) => {
            const diverged = result.outcome.kind === "diverged"
            const value = level === "output" ? result.finalLoss : result.largest.zB
            return { rate: config.rates.A, value: diverged ? Number.POSITIVE_INFINITY : value }
          })
          return { width, seed, ...(level === "output" ? optimalRate(grid) : thresholdRate(grid, featureLimit)) }
        })
        return { scheme, readout, level, fit: rateAgainstWidth(located) }
      }),
    ),
  )
}

/** The runs in groups of equal key, in the order of their first members. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return [...groups.values()]
}
