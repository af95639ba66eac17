import { formatAffine, parseAffine } from "../exponent/grammar.js"
import { InputError } from "../inputError.js"
import { schemeNamed } from "../scheme/catalogue.js"
import { checkedDefinition, type SchemeDefinition } from "../scheme/definition.js"
import { optimiserNamed } from "../scheme/optimiserNames.js"
import { scheme } from "../scheme/scheme.js"
import { precisionOf } from "../train/precisionConfig.js"
import { backendOf } from "./choices.js"
import type { TheoryConfig } from "./config.js"
import { seedList, widestFirst } from "./lists.js"
import { type PlannedRun, plannedRun } from "./plannedRun.js"

/**
 * The runs of schemes in the theory's setting: at each point, width and seed.
 *
 * @throws InputError naming the field for an unknown scheme or symbol, or a symbol without a value.
 */
export function theoryRuns(config: TheoryConfig): PlannedRun[] {
  const { widths, rank, steps } = config
  const backend = backendOf("theory", config.backend)
  const precision = backend === "gpu" ? float32(config.precision) : config.precision
  const reading = backend === "gpu" || precision === "float64" ? {} : { precision: precisionOf(precision) }
  const own = backend === "gpu" ? ({ backend } as const) : {}
  const points = config.schemes.flatMap(pointsOf)
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

/** A GPU's precision; the default stands for it. @throws InputError for one that only the reference interpreter has. */
function float32(precision: TheoryConfig["precision"]): "float32" {
  if (precision === "float64" || precision === "float32") return "float32"
  throw new InputError({
    field: "precision",
    given: precision,
    allowed: "float32, or none, on a GPU; others with backend: reference",
    example: "precision: float32",
  })
}

interface Point {
  readonly definition: SchemeDefinition
  readonly values: Readonly<Record<string, string>>
}

/** The points of one entry of `schemes`: every combination of its symbols' values. */
function pointsOf(entry: TheoryConfig["schemes"][number], index: number): Point[] {
  const field = `schemes[${index}]`
  const { scheme: name, set, optimiser } = typeof entry === "string" ? { scheme: entry } : entry
  const named =
    typeof name === "string"
      ? at(typeof entry === "string" ? field : `${field}.scheme`, () => schemeNamed(name))
      : checkedDefinition(name)
  const definition =
    optimiser === undefined ? named : { ...named, optimiser: optimiserNamed(optimiser, `${field}.optimiser`).name }
  const symbols = Object.entries(set ?? named.example ?? {})
  const points = symbols.reduce<Record<string, string>[]>(
    (sofar, [symbol, given]) =>
      sofar.flatMap((point) => [given].flat().map((value) => ({ ...point, [symbol]: String(value) }))),
    [{}],
  )
  return points.map((values) => {
    const { symbols: open } = at(`${field}.set`, () => scheme(definition, values))
    if (open.length === 0) return { definition, values: canonical(values) }
    throw new InputError({
      field: `${field}.set`,
      given: values,
      allowed: `a value for ${open.join(", ")} too`,
      example: JSON.stringify({ ...values, ...Object.fromEntries(open.map((symbol) => [symbol, "-1/2"])) }),
    })
  })
}

/** One text for one exponent, so that -0.5 and -1/2 are one run. */
function canonical(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([symbol, text]) => [symbol, formatAffine(parseAffine(text))]))
}

/** The value, or its InputError with the configuration's field. */
function at<T>(field: string, value: () => T): T {
  try {
    return value()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const { given, allowed, example } = error
    throw new InputError({ field, given, allowed, example: example.replace(/^--set /, "") })
  }
}
