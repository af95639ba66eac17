import { InputError } from "../inputError.js"
import { initA } from "./initA.js"
import { initAB } from "./initAB.js"
import { initB } from "./initB.js"
import { loraPlus } from "./loraPlus.js"
import { onModel } from "./models.js"
import { NETWORK_SCHEMES } from "./networks.js"
import { OPTIMISER_SCHEMES } from "./optimisers.js"
import { PEFT_SCHEMES } from "./peft.js"
import { RANK_SCHEMES } from "./rank.js"
import type { SchemeDefinition } from "./scheme.js"

/** Every named scheme, in the order in which `schemes` lists them. */
export const CATALOGUE: readonly SchemeDefinition[] = [
  initA,
  initB,
  initAB,
  loraPlus,
  ...RANK_SCHEMES,
  ...PEFT_SCHEMES,
  ...OPTIMISER_SCHEMES,
  ...NETWORK_SCHEMES,
  ...[initA, initB].map((definition) => onModel("teacher-student", definition)),
]

/** The definition of a named scheme; @throws InputError that lists the names. */
export function schemeNamed(name: string): SchemeDefinition {
  const found = CATALOGUE.find((definition) => definition.name === name)
  if (found) return found
  const [model, rest] = name.split("/", 2)
  if (rest !== undefined) return onModel(model!, schemeNamed(rest))
  const allowed = CATALOGUE.map((definition) => definition.name).join(", ")
  throw new InputError({ field: "scheme", given: name, allowed, example: "init-a" })
}
