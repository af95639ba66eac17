/**
 * The paper's teacher-student experiment: which learning rate is best, and which is the largest that keeps the features
 * bounded, at each width, for Init[A] and Init[B].
 *
 * Feature level: the largest rate at which |Z_B| stays within a limit. Output level: the rate of least loss. They are
 * two things; every number says which it is.
 */

import { RULES } from "../../src/fit/judge.js"
import {
  type GridPoint,
  type LocatedAtWidth,
  optimalRate,
  type RateFit,
  rateAgainstWidth,
  thresholdBracket,
  thresholdRate,
} from "../../src/fit/optimum.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { rateGrid } from "../../src/sweep/rates.js"
import { type SweepOptions, sweep } from "../../src/sweep/sweep.js"
import { groupsOf } from "../../src/table/groups.js"
import { kernelStart } from "../../src/train/student.js"
import type { Task } from "../../src/train/task.js"
import type { TeacherStudentResult } from "../../src/train/teacherStudent.js"
import type { TeacherStudentConfig } from "../../src/train/teacherStudentConfig.js"
import { FIRST_SEED } from "../compare/seeds.js"
import type { Effort } from "../experiment.js"

/** The experiment's constants. The paper's own, where it leaves them open, are not known; these are ours. */
export interface TeacherStudentConstants {
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
  /** How often the bracket of each feature limit is halved, on the scale of log rate. */
  readonly bisections: number
}

/**
 * How many seeds a size begins with, and how many it may take: so many are added a round until the laws are decided.
 */
const SEEDS: Readonly<Record<Effort["size"], { readonly least: number; readonly most: number }>> = {
  quick: { least: 4, most: 24 },
  full: { least: 5, most: 20 },
}

const QUICK: TeacherStudentConstants = {
  widths: [128, 256, 512, 1024, 2048],
  rank: 4,
  inputs: 5,
  samples: 64,
  teacherWidth: 64,
  steps: 100,
  seeds: [],
  readouts: [0.5, 1],
  rates: { from: 1e-5, to: 10, perDecade: 3 },
  featureLimit: 2,
  recordEvery: 2,
  bisections: 1,
}

const FULL: TeacherStudentConstants = {
  ...QUICK,
  widths: [128, 256, 512, 1024, 2048, 4096, 8192],
  samples: 1000,
  steps: 300,
  rates: { from: 1e-4, to: 10, perDecade: 3 },
  recordEvery: 10,
  bisections: 2,
}

/** The constants of a size, with the seeds that it begins with or the most that it may take. */
export function configOf({ size, seeds }: Effort, which: "least" | "most" = "least"): TeacherStudentConstants {
  const count = seeds * SEEDS[size][which]
  return {
    ...(size === "quick" ? QUICK : FULL),
    seeds: Array.from({ length: count }, (_, i) => FIRST_SEED.teacherStudent + i),
  }
}

/** The schemes that are compared, at one rate for both factors; each is called by the first words of its title. */
export const COMPARED = ["init-a", "init-b"].map((name) => {
  const definition = schemeNamed(name)
  return { title: definition.title.split(":")[0]!, definition }
})

/** One run of the experiment. */
export interface TeacherStudentRun {
  /** Its title. */
  readonly scheme: string
  readonly config: TeacherStudentConfig
  readonly result: TeacherStudentResult
}

/** The exponent of a rate at one level. */
export interface RateLaw {
  readonly scheme: string
  readonly readout: number
  readonly level: "features" | "output"
  readonly fit: RateFit
}

/** The runs of the grid of rates; runs that share data stand together. */
function plan(config: TeacherStudentConstants): PlannedTeacherStudentRun[] {
  const { widths, seeds, readouts, rates } = config
  return widths.flatMap((width) =>
    seeds.flatMap((seed) =>
      readouts.flatMap((readout) =>
        COMPARED.flatMap(({ title: scheme }) =>
          rateGrid(rates).map((rate) => planned(config, { scheme, width, seed, readout }, rate)),
        ),
      ),
    ),
  )
}

/** How many runs the search for the feature limits adds at most. */
function thresholdCount({ widths, seeds, readouts, bisections }: TeacherStudentConstants): number {
  return (LOWER_DECADES + bisections) * widths.length * seeds.length * readouts.length * COMPARED.length
}

/** How many decades below the grid a feature limit is looked for. */
const LOWER_DECADES = 3

interface PlannedTeacherStudentRun {
  readonly scheme: string
  readonly config: TeacherStudentConfig
}

function planned(
  { rank, inputs, samples, teacherWidth, steps, recordEvery }: TeacherStudentConstants,
  { scheme, width, seed, readout }: Pick<TeacherStudentConfig, "width" | "seed" | "readout"> & { scheme: string },
  rate: number,
): PlannedTeacherStudentRun {
  const fixed = { rank, inputs, samples, teacherWidth, steps, recordEvery }
  const blank = { ...fixed, width, seed, readout, start: { A: 0, B: 0 }, rates: { A: rate, B: rate } }
  return { scheme, config: { ...blank, start: startOf(scheme, blank) } }
}

const starts = new Map<string, TeacherStudentConfig["start"]>()

/** The start of a run: the same for all seeds and rates. */
function startOf(scheme: string, run: TeacherStudentConfig): TeacherStudentConfig["start"] {
  const key = JSON.stringify([scheme, { ...run, seed: null, rates: null }])
  const known = starts.get(key)
  if (known !== undefined) return known
  const { definition } = COMPARED.find(({ title }) => title === scheme)!
  const start = kernelStart({ definition, values: {} }, run)
  if (start === null) throw new Error(`no kernel trains ${scheme}`)
  starts.set(key, start)
  return start
}

/** What was run, and the laws that it shows. */
export interface TeacherStudentRuns {
  /** With the seeds that were run. */
  readonly config: TeacherStudentConstants
  /** The runs of the grid. */
  readonly grid: readonly TeacherStudentRun[]
  /** Those, and the runs around the feature limits. */
  readonly finer: readonly TeacherStudentRun[]
  readonly laws: readonly RateLaw[]
}

/**
 * Runs the experiment, with as many seeds more as it began with, again and again, until the interval of every law is
 * narrow enough for a verdict or the seeds are spent. When to stop depends on the intervals' widths alone, never on
 * what they hold.
 */
export async function decidedRuns(effort: Effort, options: SweepOptions): Promise<TeacherStudentRuns> {
  const all = configOf(effort, "most")
  const step = configOf(effort).seeds.length
  const grid: TeacherStudentRun[] = []
  const finer: TeacherStudentRun[] = []
  for (let count = step; ; count += step) {
    const added = { ...all, seeds: all.seeds.slice(count - step, count) }
    const rates = await runAll(plan(added), options)
    grid.push(...rates)
    finer.push(...(await aroundThresholds(rates, added, options)))
    const laws = rateLaws(grid, finer, all)
    if (laws.every(isNarrow) || count >= all.seeds.length) {
      const spared = runCount({ ...all, seeds: all.seeds.slice(count) })
      for (let i = 0; i < spared; i++) options.onFinished?.()
      return { config: { ...all, seeds: all.seeds.slice(0, count) }, grid, finer, laws }
    }
  }
}

/** Whether a law's interval is narrow enough for a verdict. */
function isNarrow({ fit: { slope } }: RateLaw): boolean {
  return slope !== null && (slope.interval.high - slope.interval.low) / 2 <= RULES.widestHalfWidth
}

/** How many runs the experiment makes at most. */
export function mostRuns(effort: Effort): number {
  return runCount(configOf(effort, "most"))
}

function runCount(config: TeacherStudentConstants): number {
  return plan(config).length + thresholdCount(config)
}

/**
 * Runs at rates a tenth as high while even the lowest passes the feature limit, and runs that halve each limit's
 * bracket, again and again; those of the grid come first in what is returned.
 */
async function aroundThresholds(
  grid: readonly TeacherStudentRun[],
  config: TeacherStudentConstants,
  options: SweepOptions,
): Promise<TeacherStudentRun[]> {
  let runs = [...grid]
  const extend = async (next: (points: readonly GridPoint[]) => number | null) => {
    const planning = [...groupsOf(runs, keyOf).values()].flatMap((group): PlannedTeacherStudentRun[] => {
      const rate = next(gridOf(group, "features"))
      const { scheme, config: one } = group[0]!
      return rate === null ? [] : [planned(config, { scheme, ...one }, rate)]
    })
    runs = [...runs, ...(await runAll(planning, options))]
  }
  for (let round = 0; round < LOWER_DECADES; round++)
    await extend((points) => {
      const lowest = points.reduce((x, y) => (y.rate < x.rate ? y : x))
      return lowest.value <= config.featureLimit ? null : lowest.rate / 10
    })
  for (let round = 0; round < config.bisections; round++)
    await extend((points) => {
      const bracket = thresholdBracket(points, config.featureLimit)
      return bracket && Math.sqrt(bracket.below.rate * bracket.above.rate)
    })
  return runs
}

async function runAll(runs: readonly PlannedTeacherStudentRun[], options: SweepOptions): Promise<TeacherStudentRun[]> {
  const results = await sweep(
    runs.map((run) => ({ kind: "synthetic", backend: "cpu", config: run.config }) satisfies Task),
    options,
  )
  return runs.map((run, i) => ({ ...run, result: results[i]! }))
}

const keyOf = ({ scheme, config: { readout, width, seed } }: TeacherStudentRun) =>
  `${scheme} ${readout} ${width} ${seed}`

/** What a level looks at, by rate. */
function gridOf(runs: readonly TeacherStudentRun[], level: RateLaw["level"]): GridPoint[] {
  return runs.map(({ config, result }) => {
    const value = level === "output" ? result.finalLoss : result.largest.zB
    return { rate: config.rates.A, value: result.outcome.kind === "diverged" ? Number.POSITIVE_INFINITY : value }
  })
}

/**
 * The four rate laws of each readout: both schemes at both levels.
 *
 * @param grid the runs of the grid, for the rate of least loss.
 * @param finer those and the runs of bisection, for the feature limit.
 */
function rateLaws(
  grid: readonly TeacherStudentRun[],
  finer: readonly TeacherStudentRun[],
  { readouts, featureLimit }: TeacherStudentConstants,
): RateLaw[] {
  return readouts.flatMap((readout) =>
    COMPARED.flatMap(({ title: scheme }) =>
      (["features", "output"] as const).map((level): RateLaw => {
        const own = (level === "output" ? grid : finer).filter(
          (run) => run.scheme === scheme && run.config.readout === readout,
        )
        const located = [...groupsOf(own, keyOf).values()].map((group): LocatedAtWidth => {
          const { width, seed } = group[0]!.config
          const points = gridOf(group, level)
          return { width, seed, ...(level === "output" ? optimalRate(points) : thresholdRate(points, featureLimit)) }
        })
        return { scheme, readout, level, fit: rateAgainstWidth(located) }
      }),
    ),
  )
}
