import type { Setting } from "../../verify/compare/setting.js"
import { BLOCK_SCHEMES } from "../scheme/blocks.js"
import { CATALOGUE } from "../scheme/catalogue.js"
import type { VariantOptions } from "../scheme/variant.js"
import { schemeWith, settings } from "./terminal.js"

/** Which schemes, where, and how they are told, as typed. */
export interface SettingOptions extends VariantOptions {
  readonly set: readonly string[]
  readonly json?: boolean
  readonly format: string
}

/**
 * The scheme that is checked, by default all, each at its example but for what --set says.
 *
 * @throws InputError as `schemeWith` and `settings`.
 */
export async function checkedSettings(name: string | undefined, options: SettingOptions): Promise<Setting[]> {
  const definitions = name === undefined ? [...CATALOGUE, ...BLOCK_SCHEMES] : [await schemeWith(name, options)]
  const set = settings(options.set)
  return definitions.map((definition) => ({ definition, values: { ...definition.example, ...set } }))
}
