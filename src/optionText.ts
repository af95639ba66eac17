/** Values as people type them, on the command line or in a field of the explorer. */
import { InputError } from "./inputError.js"
import { nearest, unknownName } from "./nearest.js"

/** Parses an integer option. @throws InputError naming the field. */
export function integer(field: string, text: string, least = 1, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new InputError({
      field,
      given: text,
      allowed: most < Number.MAX_SAFE_INTEGER ? `an integer from ${least} to ${most}` : `an integer ≥ ${least}`,
      example: `${field} ${Math.max(4, least)}`,
    })
  return value
}

/** Parses a positive number option. @throws InputError naming the field. */
export function positive(field: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value)))
    throw new InputError({ field, given: text, allowed: "a number > 0", example: `${field} 1e-3` })
  return value
}

/** Parses an option with named values. @throws InputError listing them. */
export function oneOf<T extends string>(field: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === text)
  if (found === undefined) throw unknownName(field, text, allowed, `${field} ${nearest(text, allowed) ?? allowed[0]}`)
  return found
}
