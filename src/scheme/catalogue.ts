import { InputError } from "../inputError.js"
import { plain, unknownName } from "../nearest.js"
import { ADAPTER_SCHEMES } from "./adapters.js"
import { NOT_DERIVED, SCHEME_ALIASES } from "./aliases.js"
import { BLOCK_SCHEMES } from "./blocks.js"
import { EXPERT_SCHEMES } from "./experts.js"
import { FACTOR_OPTIMISER_SCHEMES } from "./factorOptimisers.js"
import { initA } from "./initA.js"
import { initAB } from "./initAB.js"
import { initB } from "./initB.js"
import { loraPlus } from "./loraPlus.js"
import { NETWORK_SCHEMES } from "./networks.js"
import { onModel } from "./onModel.js"
import { OPTIMISER_SCHEMES } from "./optimisers.js"
import { PEFT_SCHEMES } from "./peft.js"
import { PRECONDITIONED_SCHEMES } from "./preconditioned.js"
import { RANK_SCHEMES } from "./rank.js"
import type { SchemeDefinition } from "./scheme.js"
import { SPECTRAL_SCHEMES } from "./spectral.js"

/** Every named scheme, in the order in which `schemes` lists them. */
export const CATALOGUE: readonly SchemeDefinition[] = [
  initA,
  initB,
  initAB,
  loraPlus,
  ...RANK_SCHEMES,
  ...PEFT_SCHEMES,
  ...OPTIMISER_SCHEMES,
  ...FACTOR_OPTIMISER_SCHEMES,
  ...PRECONDITIONED_SCHEMES,
  ...SPECTRAL_SCHEMES,
  ...ADAPTER_SCHEMES,
  ...EXPERT_SCHEMES,
  ...NETWORK_SCHEMES,
  ...[initA, initB].map((definition) => onModel("teacher-student", definition)),
]

/** The name by which the catalogue has each of its schemes' spellings. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(SCHEME_ALIASES).map(([alias, name]) => [plain(alias), name] as const),
  ...CATALOGUE.flatMap(({ name }) => [name.replace(/^peft-/, ""), name].map((text) => [plain(text), name] as const)),
])

/**
 * The definition of a named scheme, however its name is spelt: `lora`, `PiSSA` and `lora_fa` are known.
 *
 * @throws InputError that lists the names, or says why a known scheme is not among them.
 */
export function schemeNamed(text: string): SchemeDefinition {
  const name = SPELLINGS.get(plain(text).replace(/niter\d+$/, ""))
  const found = CATALOGUE.find((definition) => definition.name === name)
  if (found !== undefined) return found
  const [model, rest] = text.split("/", 2)
  if (rest !== undefined) {
    const put = onModel(model!, schemeNamed(rest))
    return BLOCK_SCHEMES.find((definition) => definition.name === put.name) ?? put
  }
  const absent = Object.entries(NOT_DERIVED).find(([known]) => plain(known) === plain(text))
  if (absent !== undefined)
    throw new InputError({
      field: "scheme",
      given: text,
      allowed: `schemes of two factors; ${absent[1]}`,
      example: "init-a",
    })
  throw unknownName(
    "scheme",
    text,
    CATALOGUE.map((definition) => definition.name),
  )
}
