import { type Terms, termsOf } from "../../src/derive/terms.js"
import { type Scheme, scheme } from "../../src/scheme/scheme.js"
import type { Setting } from "./setting.js"

/** What is derived of a setting. */
export interface DerivedSetting {
  readonly scheme: Scheme
  /** As `termsOf`, each step read when it is first asked for. */
  readonly terms: (quantity: string, t: number) => Terms
}

const known = new WeakMap<Setting, DerivedSetting>()

/**
 * A setting's scheme and the terms of its quantities; budget, verdicts and further measurements ask for the same, so
 * each is made once.
 *
 * @throws InputError as `scheme`.
 */
export function derivedSetting(setting: Setting): DerivedSetting {
  const before = known.get(setting)
  if (before !== undefined) return before
  const own = scheme(setting.definition, setting.values)
  const told = new Map<string, Terms>()
  let read: ReturnType<typeof termsOf> | null = null
  const terms = (quantity: string, t: number): Terms => {
    const key = `${quantity}@${t}`
    const seen = told.get(key)
    if (seen !== undefined) return seen
    read ??= termsOf(own)
    const made = read(quantity, t)
    told.set(key, made)
    return made
  }
  const derived = { scheme: own, terms }
  known.set(setting, derived)
  return derived
}

/**
 * Derives the settings' terms at t = 1 … last while threads measure: a step at a time, so that in between they are
 * given their next runs.
 */
export async function deriveMeanwhile(settings: readonly Setting[], last: number): Promise<void> {
  for (const setting of settings)
    for (let t = 1; t <= last; t++) {
      await new Promise((resolve) => setImmediate(resolve))
      const { scheme, terms } = derivedSetting(setting)
      for (const quantity of Object.keys(scheme.program.quantities)) terms(quantity, t)
    }
}
