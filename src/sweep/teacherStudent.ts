import { InputError } from "../inputError.js"
import { kernelStart, onStudent, type StudentScheme } from "../train/student.js"
import type { TeacherStudentResult } from "../train/teacherStudent.js"
import type { TeacherStudentConfig } from "../train/teacherStudentConfig.js"
import { backendOf } from "./choices.js"
import type { TeacherStudentSweep } from "./config.js"
import { identity } from "./identity.js"
import { seedList, widestFirst } from "./lists.js"
import { type PlannedRun, plannedRun } from "./plannedRun.js"
import { gridRate, leastPlace, placesAround, type RateGrid, rateGrid, refinement } from "./rates.js"
import { pointsOf } from "./schemeEntry.js"

/** The results of stored runs by identity. */
type Results = ReadonlyMap<string, unknown>

/** Runs that differ in their rate only. */
interface Group {
  readonly width: number
  /** Equal for groups that differ in width and seed only. */
  readonly family: string
  readonly at: (rate: number) => PlannedRun
}

/**
 * The runs at the rates that are known beforehand: the list, or the grid as given. Runs that share data stand together.
 */
export function firstRuns(config: TeacherStudentSweep): PlannedRun[] {
  const { rates, widths } = config
  const isFirst =
    !Array.isArray(rates) && rates.follow > 0 ? (width: number) => width === Math.min(...widths) : () => true
  return groups(config)
    .filter(({ width }) => isFirst(width))
    .flatMap(({ at }) => (Array.isArray(rates) ? rates : rateGrid(rates)).map(at))
}

/** A run of each size that the sweep has. */
export function sizes(config: TeacherStudentSweep): PlannedRun[] {
  return groups(config).map(({ at }) => at(1))
}

/** The runs that are next by what was measured before; none where the sweep is at its end. */
export function nextRuns(config: TeacherStudentSweep, round: number, results: Results): PlannedRun[] {
  if (Array.isArray(config.rates)) return []
  if (config.rates.follow > 0) return followedRuns(config, results)
  return round > config.rates.refine ? [] : refinedRuns(config, round, results)
}

/** How many runs follow the given first ones at most. */
export function mostLater({ rates, widths }: TeacherStudentSweep, first: readonly PlannedRun[]): number {
  if (Array.isArray(rates)) return 0
  if (rates.follow > 0) return (new Set(widths).size - 1) * first.length
  return 2 * rates.refine * new Set(first.map(({ shardKey }) => shardKey)).size
}

/**
 * The runs that follow the minima from a width to the next: for each scheme and readout, at the first width where the
 * rates around the least of the final losses of every seed are not all measured for all seeds, those that are not; at a
 * width where none is, those around the minima of the next narrower one. So all seeds of a width have the same rates.
 */
function followedRuns(config: TeacherStudentSweep, results: Results): PlannedRun[] {
  const { rates, widths } = config
  if (Array.isArray(rates)) return []
  const last = rateGrid(rates).length - 1
  const near = (places: readonly number[]) => [
    ...new Set(places.flatMap((place) => placesAround(place, last, rates.follow))),
  ]
  const all = groups(config)
  return [...new Set(all.map(({ family }) => family))].flatMap((family) => {
    let before: readonly number[] = []
    for (const width of [...new Set(widths)].sort((x, y) => x - y)) {
      const seeds = all
        .filter((group) => group.family === family && group.width === width)
        .map(({ at }) => ({ at, measured: measuredAt(at, rates, last, results) }))
      const least = seeds.flatMap(({ measured }) => (measured.size === 0 ? [] : [leastPlace(measured)]))
      const wanted = near(least.length === 0 ? before : least)
      const next = seeds.flatMap(({ at, measured }) =>
        wanted.filter((place) => !measured.has(place)).map((place) => at(gridRate(rates, place))),
      )
      if (next.length > 0 || least.length === 0) return next
      before = least
    }
    return []
  })
}

/** The final losses of a group's stored runs by their places on a grid, NaN where a run diverged. */
function measuredAt(at: Group["at"], grid: RateGrid, last: number, results: Results): Map<number, number> {
  const measured = new Map<number, number>()
  for (let place = 0; place <= last; place++) {
    const result = results.get(at(gridRate(grid, place)).id) as TeacherStudentResult | undefined
    if (result !== undefined) measured.set(place, result.outcome.kind === "finished" ? result.finalLoss : Number.NaN)
  }
  return measured
}

/**
 * The runs of a round of refinement, by what was measured before: for each width, scheme, readout and seed the rates
 * half a spacing to either side of that of least final loss.
 *
 * @param round from 1 to `refine`; the results are those of all rounds before.
 */
function refinedRuns(config: TeacherStudentSweep, round: number, results: Results): PlannedRun[] {
  const { rates } = config
  if (Array.isArray(rates)) return []
  const finest = 2 ** rates.refine
  const lattice = { ...rates, perDecade: rates.perDecade * finest }
  const last = finest * (rateGrid(rates).length - 1)
  return groups(config).flatMap(({ at }) => {
    const measured = measuredAt(at, lattice, last, results)
    return refinement(measured, last, finest / 2 ** (round - 1)).map((place) => at(gridRate(lattice, place)))
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
        points.map((scheme, i): Group => {
          const blank = { ...fixed, width, seed, readout, start: NO_START, rates: NO_RATES }
          const start = kernelStart(scheme, blank)
          const computed: Computed = start === null ? { backend: "reference", precision: "float64", scheme } : kernel
          const { backend, precision } = computed
          const about = { experiment: "teacher-student", scheme: scheme.definition.name, precision, backend } as const
          const { start: _, rates: __, ...size } = blank
          const shared = { ...size, start: start ?? NO_START }
          const { width: ___, seed: ____, ...others } = size
          const family = identity({ ...about, ...stored(computed), shared: others, ratio, point: i })
          // What a later rate depends on must be in the same shard; a plain grid is split run by run.
          const grid = Array.isArray(rates) ? { refine: 0, follow: 0 } : rates
          const ownKey = grid.refine > 0 ? identity({ ...about, ...stored(computed), shared, ratio }) : undefined
          const shardKey = grid.follow > 0 ? family : ownKey
          return {
            width,
            family,
            at: (rate) => {
              const own: TeacherStudentConfig = { ...shared, rates: { A: rate, B: ratio * rate } }
              return plannedRun({ ...about, task: { kind: "synthetic", ...computed, config: own } }, shardKey)
            },
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
