import { InputError } from "../inputError.js"
import { precisionOf } from "../train/precisionConfig.js"
import { backendOf } from "./choices.js"
import type { TheoryConfig } from "./config.js"
import { seedList, widestFirst } from "./lists.js"
import { type PlannedRun, plannedRun } from "./plannedRun.js"
import { pointsOf } from "./schemeEntry.js"

/**
 * The runs of schemes in the theory's setting: at each point, width and seed.
 *
 * @throws InputError naming the field for an unknown scheme or symbol, or a symbol without a value.
 */
export function theoryRuns(config: TheoryConfig): PlannedRun[] {
  const { widths, rank, steps } = config
  const backend = backendOf("theory", config.backend)
  const isFloat32 = backend !== "reference"
  const precision = isFloat32 ? float32(config.precision) : config.precision
  const reading = isFloat32 || precision === "float64" ? {} : { precision: precisionOf(precision) }
  const own = backend !== "reference" ? ({ backend } as const) : {}
  const points = config.schemes.flatMap((entry, i) => pointsOf(entry, i))
  return widestFirst(widths).flatMap((width) =>
    points.flatMap(({ definition, values }) =>
      seedList(config.seeds).map((seed) =>
        plannedRun({
          experiment: "theory",
          scheme: definition.name,
          precision,
          backend,
          task: {
            kind: "scheme",
            ...own,
            definition,
            values,
            config: { width, rank, steps, ...reading },
            seeds: [seed],
          },
        }),
      ),
    ),
  )
}

/**
 * The precision of a GPU and of graphs; the default stands for it.
 * @throws InputError for one that only the reference
 * interpreter has.
 */
function float32(precision: TheoryConfig["precision"]): "float32" {
  if (precision === "float64" || precision === "float32") return "float32"
  throw new InputError({
    field: "precision",
    given: precision,
    allowed: "float32, or none, on a GPU and for graphs; others with backend: reference",
    example: "precision: float32",
  })
}
