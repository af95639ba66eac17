/** Runs as a measured table: a row a run, checkpoint, module and quantity, as `fit` and `check --measured` read it. */

import { productNormOf } from "./finding.js"
import type { MeasuredModule, MeasuredRun } from "./measureRun.js"

/** One measured number and where it was measured; null where the files do not say. */
export interface TableRow {
  readonly run: string
  readonly width: number
  readonly rank: number
  readonly seed: string
  readonly rate: number | null
  /** Of training; the epoch where only that is counted. */
  readonly step: number | null
  readonly module: string
  readonly kind: string
  readonly quantity: string
  readonly value: number
}

/** Largest singular value, of the terms of Δ(BA) with the multiplier; `b` has the name that the theory gives it. */
const QUANTITIES: readonly (readonly [string, (module: MeasuredModule, point: number) => number | null])[] = [
  ["a", ({ points }, i) => points[i]!.a.rms],
  ["b", ({ points }, i) => points[i]!.b.rms],
  ["normBA", ({ points, scale }, i) => scaled(scale.value, productNormOf(points[i]!.spectrum))],
  ["operatorBA", ({ points, scale }, i) => scaled(scale.value, points[i]!.spectrum[0] ?? null)],
  ["operatorBDeltaA", ({ intervals, scale }, i) => scaled(scale.value, intervals[i - 1]?.operators.byA ?? null)],
  ["operatorDeltaBA", ({ intervals, scale }, i) => scaled(scale.value, intervals[i - 1]?.operators.byB ?? null)],
  [
    "operatorDeltaBDeltaA",
    ({ intervals, scale }, i) => scaled(scale.value, intervals[i - 1]?.operators.byBoth ?? null),
  ],
]

function scaled(scale: number | null, value: number | null): number | null {
  return scale === null || value === null ? null : scale * value
}

/**
 * The rows of runs. The width is the module's input, the rate the largest logged one, the seed what follows "seed" in
 * the run's name, or the run's name itself, which tells repeated runs apart as well.
 */
export function tableRows(runs: readonly MeasuredRun[]): TableRow[] {
  return runs.flatMap(({ run, modules }) => {
    const rates = (run.log?.entries ?? []).flatMap(({ rate }) => (rate === null ? [] : [rate]))
    const rate = rates.length === 0 ? null : Math.max(...rates)
    const seed = /seed[-_=]?(\d+)/i.exec(run.name)?.[1] ?? run.name
    return modules.flatMap((module) =>
      run.checkpoints.flatMap(({ step: steps, epoch }, i) =>
        QUANTITIES.flatMap(([quantity, measure]): TableRow[] => {
          const value = measure(module, i)
          const { name, kind, rank, input } = module
          const step = steps ?? epoch
          return value === null
            ? []
            : [{ run: run.name, width: input, rank, seed, rate, step, module: name, kind, quantity, value }]
        }),
      ),
    )
  })
}
