import { InputError } from "../inputError.js"

/** A text cut off where it gets long: files may hold lines of any length. */
function shown(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`
}

/** The refusal of something in a table, whose texts may be of any length: each part is cut off where it gets long. */
export function refusalOf({ field, given, allowed, example }: Texts): InputError {
  return new InputError({
    field: shown(field, 300),
    given: shown(given, 80),
    allowed: shown(allowed, 600),
    example: shown(example, 80),
  })
}

interface Texts {
  readonly field: string
  readonly given: string
  readonly allowed: string
  readonly example: string
}
