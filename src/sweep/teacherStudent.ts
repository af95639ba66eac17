import { InputError } from "../inputError.js"
import type { SyntheticResult } from "../train/synthetic.js"
import { backendOf } from "./choices.js"
import type { TeacherStudentSweep, TRAINED_SCHEMES } from "./config.js"
import { identity } from "./identity.js"
import { seedList, widestFirst } from "./lists.js"
import { type PlannedRun, plannedRun } from "./plannedRun.js"
import { gridRate, rateGrid, refinement } from "./rates.js"

/** The deviations of a scheme's starting entries at width n and rank r. */
export const STARTS: Readonly<
  Record<(typeof TRAINED_SCHEMES)[number], (n: number, r: number) => { readonly A: number; readonly B: number }>
> = {
  "init-a": (n) => ({ A: n ** -0.5, B: 0 }),
  "init-b": (_, r) => ({ A: 0, B: r ** -0.5 }),
}

/** The results of stored runs by identity. */
type Results = ReadonlyMap<string, unknown>

/** Runs that differ in their rate only. */
type Group = (rate: number) => PlannedRun

/** The runs at the rates that are known beforehand: the list, or the grid as given. Runs that share data stand together. */
export function firstRuns(config: TeacherStudentSweep): PlannedRun[] {
  const { rates } = config
  return groups(config).flatMap((group) => (Array.isArray(rates) ? rates : rateGrid(rates)).map(group))
}

/**
 * The runs of a round of refinement, by what was measured before: for each width, scheme, readout and seed the rates half
 * a spacing to either side of that of least final loss.
 *
 * @param round from 1 to `refine`; the results are those of all rounds before.
 */
export function refinedRuns(config: TeacherStudentSweep, round: number, results: Results): PlannedRun[] {
  const { rates } = config
  if (Array.isArray(rates)) return []
  const finest = 2 ** rates.refine
  const lattice = { ...rates, perDecade: rates.perDecade * finest }
  const last = finest * (rateGrid(rates).length - 1)
  return groups(config).flatMap((group) => {
    const measured = new Map<number, number>()
    for (let place = 0; place <= last; place++) {
      const result = results.get(group(gridRate(lattice, place)).id) as SyntheticResult | undefined
      if (result !== undefined) measured.set(place, result.outcome.kind === "finished" ? result.finalLoss : Number.NaN)
    }
    return refinement(measured, last, finest / 2 ** (round - 1)).map((place) => group(gridRate(lattice, place)))
  })
}

function groups(config: TeacherStudentSweep): Group[] {
  const { widths, readouts, schemes, rank, inputs, samples, teacherWidth, steps, ratio, precision, rates } = config
  const fixed = { rank, inputs, samples, teacherWidth, steps, recordEvery: steps }
  const backend = backendOf("teacher-student", config.backend)
  if (backend === "gpu" && precision !== "float32")
    throw new InputError({
      field: "precision",
      given: precision,
      allowed: "float32 on a GPU; float64 with backend: cpu",
      example: "precision: float32",
    })
  if (backend !== "gpu" && config.activations !== "float32")
    throw new InputError({
      field: "activations",
      given: config.activations,
      allowed: "float32 on the CPU; float16 with backend: gpu",
      example: "activations: float32",
    })
  // The default is left out, so that runs stored before there was a choice keep their identity.
  const stored = config.activations === "float32" ? {} : { activations: config.activations }
  return widestFirst(widths).flatMap((width) =>
    seedList(config.seeds).flatMap((seed) =>
      readouts.flatMap((readout) =>
        schemes.map((scheme): Group => {
          const start = STARTS[scheme](width, rank)
          const around = { experiment: "teacher-student", scheme, precision, backend } as const
          const shared = { ...fixed, width, seed, readout, start }
          // What a refined rate depends on must be in the same shard; a plain grid is split run by run.
          const shardKey =
            Array.isArray(rates) || rates.refine === 0 ? undefined : identity({ ...around, ...stored, shared, ratio })
          return (rate) =>
            plannedRun(
              {
                ...around,
                task: {
                  kind: "synthetic",
                  backend,
                  precision,
                  ...stored,
                  config: { ...shared, rates: { A: rate, B: ratio * rate } },
                },
              },
              shardKey,
            )
        }),
      ),
    ),
  )
}
