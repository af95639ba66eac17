import { schemeNamed } from "../../src/scheme/catalogue.js"
import { optimiserText, type SchemeDefinition } from "../../src/scheme/definition.js"

/** A scheme at one point of its symbols. */
export interface Setting {
  readonly definition: SchemeDefinition
  readonly values: Readonly<Record<string, string>>
}

/** The name of a setting, as typed after `verify`. */
export function settingName({ definition, values }: Setting): string {
  const point = Object.entries(values).map(([symbol, value]) => `${symbol}=${value}`)
  return [definition.name, ...point, optimiserText(definition)].join("/")
}

/** A scheme of the catalogue by its name, at a point, with another optimiser, loss or batch where one is given. */
export function settingAt(
  name: string,
  values: Readonly<Record<string, string>>,
  change: Partial<Pick<SchemeDefinition, "optimiser" | "loss" | "batch">> = {},
): Setting {
  return { definition: { ...schemeNamed(name), ...change }, values }
}

/**
 * A scheme of the catalogue under Adam on the squared loss of four samples, as the teacher-student experiment trains.
 */
export function trained(name: string, values: Readonly<Record<string, string>>): Setting {
  return settingAt(name, values, { optimiser: "adam", loss: "squared", batch: 4 })
}
