import { InputError } from "../inputError.js"
import { kernelStart, onStudent, type StudentScheme } from "../train/student.js"
import type { TeacherStudentResult } from "../train/teacherStudent.js"
import type { TeacherStudentConfig } from "../train/teacherStudentConfig.js"
import { backendOf } from "./choices.js"
import type { TeacherStudentSweep } from "./config.js"
import { identity } from "./identity.js"
import { seedList, widestFirst } from "./lists.js"
import { plannedRun } from "./plannedRun.js"
import { type Group, type RateSearch, shardKeyOf } from "./rateSearch.js"
import { pointsOf } from "./schemeEntry.js"

/** The search of a sweep's rates of least final loss. @throws InputError for what cannot be computed. */
export function studentSearch(config: TeacherStudentSweep): RateSearch {
  return {
    groups: groups(config),
    rates: config.rates,
    value: (result) => {
      const { outcome, finalLoss } = result as TeacherStudentResult
      return outcome.kind === "finished" ? finalLoss : Number.NaN
    },
  }
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
  return widestFirst(widths).flatMap((width) => {
    const students = readouts.flatMap((readout) =>
      points.map((scheme, point) => {
        const size = { ...fixed, width, readout }
        return {
          scheme,
          point,
          size,
          start: kernelStart(scheme, { ...size, seed: 0, start: NO_START, rates: NO_RATES }),
        }
      }),
    )
    return seedList(config.seeds).flatMap((seed) =>
      students.map(({ scheme, point, size, start }): Group => {
        const computed: Computed = start === null ? { backend: "reference", precision: "float64", scheme } : kernel
        const { backend, precision } = computed
        const about = { experiment: "teacher-student", scheme: scheme.definition.name, precision, backend } as const
        const shared = { ...size, seed, start: start ?? NO_START }
        const { width: _, ...others } = size
        const family = identity({ ...about, ...stored(computed), shared: others, ratio, point })
        const group = () => identity({ ...about, ...stored(computed), shared, ratio })
        const shardKey = shardKeyOf(rates, { group, family })
        return {
          width,
          family,
          at: (rate) => {
            const own: TeacherStudentConfig = { ...shared, rates: { A: rate, B: ratio * rate } }
            return plannedRun({ ...about, task: { kind: "synthetic", ...computed, config: own } }, shardKey)
          },
        }
      }),
    )
  })
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
