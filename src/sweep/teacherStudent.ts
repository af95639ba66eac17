import { InputError } from "../inputError.js"
import { kernelStart, onStudent, type StudentScheme } from "../train/student.js"
import type { TeacherStudentResult } from "../train/teacherStudent.js"
import type { TeacherStudentConfig } from "../train/teacherStudentConfig.js"
import { backendOf } from "./choices.js"
import type { TeacherStudentSweep } from "./config.js"
import { identity } from "./identity.js"
import { seedList, widestFirst } from "./lists.js"
import { type PlannedRun, plannedRun } from "./plannedRun.js"
import { gridRate, rateGrid, refinement } from "./rates.js"
import { pointsOf } from "./schemeEntry.js"

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
      const result = results.get(group(gridRate(lattice, place)).id) as TeacherStudentResult | undefined
      if (result !== undefined) measured.set(place, result.outcome.kind === "finished" ? result.finalLoss : Number.NaN)
    }
    return refinement(measured, last, finest / 2 ** (round - 1)).map((place) => group(gridRate(lattice, place)))
  })
}

/** How a run is computed: by a kernel from a numeric start, or by the reference interpreter from the scheme. */
type Computed =
  | { readonly backend: "cpu" | "gpu"; readonly precision: "float32" | "float64"; readonly activations?: "float16" }
  | { readonly backend: "reference"; readonly precision: "float64"; readonly scheme: StudentScheme }

/** The start of a run that no kernel computes: the scheme draws it. */
const NO_START = { A: 0, B: 0 }
/** Rates until one is chosen. */
const NO_RATES = { A: 1, B: 1 }

function groups(config: TeacherStudentSweep): Group[] {
  const { widths, readouts, rank, inputs, samples, teacherWidth, steps, ratio, rates } = config
  const kernel = kernelChoice(config)
  const fixed = { rank, inputs, samples, teacherWidth, steps, recordEvery: steps }
  const student = { inputs, samples, readout: 1 }
  const points = config.schemes.flatMap((entry, i) =>
    pointsOf(entry, i, (definition) => onStudent(definition, student)),
  )
  return widestFirst(widths).flatMap((width) =>
    seedList(config.seeds).flatMap((seed) =>
      readouts.flatMap((readout) =>
        points.map((scheme): Group => {
          const blank = { ...fixed, width, seed, readout, start: NO_START, rates: NO_RATES }
          const start = kernelStart(scheme, blank)
          const computed: Computed = start === null ? { backend: "reference", precision: "float64", scheme } : kernel
          const { backend, precision } = computed
          const around = { experiment: "teacher-student", scheme: scheme.definition.name, precision, backend } as const
          const { start: _, rates: __, ...size } = blank
          const shared = { ...size, start: start ?? NO_START }
          // What a refined rate depends on must be in the same shard; a plain grid is split run by run.
          const shardKey =
            Array.isArray(rates) || rates.refine === 0
              ? undefined
              : identity({ ...around, ...stored(computed), shared, ratio })
          return (rate) => {
            const own: TeacherStudentConfig = { ...shared, rates: { A: rate, B: ratio * rate } }
            return plannedRun({ ...around, task: { kind: "synthetic", ...computed, config: own } }, shardKey)
          }
        }),
      ),
    ),
  )
}

/** What of a run's computation stands in a group's identity beside backend and precision. */
function stored(computed: Computed): Record<string, unknown> {
  const { backend: _, precision: __, ...rest } = computed
  return rest
}

/** How kernels compute, for the schemes that they train; @throws InputError for what a backend does not offer. */
function kernelChoice({
  backend: name,
  precision,
  activations,
}: TeacherStudentSweep): Extract<Computed, { backend: "cpu" | "gpu" }> {
  const backend = backendOf("teacher-student", name)
  if (backend === "gpu" && precision !== "float32")
    throw new InputError({
      field: "precision",
      given: precision,
      allowed: "float32 on a GPU; float64 with backend: cpu",
      example: "precision: float32",
    })
  if (backend !== "gpu" && activations !== "float32")
    throw new InputError({
      field: "activations",
      given: activations,
      allowed: "float32 on the CPU; float16 with backend: gpu",
      example: "activations: float32",
    })
  // The default is left out, so that runs stored before there was a choice keep their identity.
  return { backend, precision, ...(activations === "float32" ? {} : { activations }) }
}
