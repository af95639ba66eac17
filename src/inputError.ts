/**
 * Input that a user can correct: which field, what was given, the nearest allowed name, what is allowed, an example.
 *
 * The command line prints the message and exits with 2.
 */
export class InputError extends Error {
  readonly field: string
  /** Where the field stands in the text that it is of, from 1; null where that is not known. */
  readonly line: number | null
  readonly given: string
  readonly allowed: string
  readonly example: string
  private readonly detail: Detail

  constructor(detail: Detail) {
    const nearest = detail.nearest === undefined ? "" : `, did you mean ${detail.nearest}?`
    super(
      `${detail.field}: got ${JSON.stringify(detail.given, finite)}${nearest}; allowed: ${detail.allowed}; for example ${detail.example}`,
    )
    this.name = "InputError"
    this.detail = detail
    this.field = detail.field
    this.line = detail.line ?? null
    this.given = String(detail.given)
    this.allowed = detail.allowed
    this.example = detail.example
  }

  /** What it says, as data that goes from thread to thread. */
  sent(): Detail {
    const { given } = this.detail
    const isPlain = given === null || ["string", "number", "boolean"].includes(typeof given)
    return { ...this.detail, given: isPlain ? given : String(JSON.stringify(given)) }
  }

  /** The same refusal, its field said to be inside of something: a file, with the field's line, or another field. */
  inside(place: string, line: number | null = null): InputError {
    const at = line === null ? place : `${place}:${line}`
    return new InputError({ ...this.detail, field: `${at}: ${this.field}`, line: line ?? this.line })
  }
}

/** Numbers that JSON has no text for, as they are called; all else as it is. */
function finite(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value
}

/**
 * What went wrong, the field of a refusal said to be {@link InputError.inside} of something; any other error as it is.
 *
 * @param lineOf the line of the field, where it stands in a text.
 */
export function inside(error: unknown, place: string, lineOf: (field: string) => number | null = () => null): unknown {
  return error instanceof InputError ? error.inside(place, lineOf(error.field)) : error
}

/** What a refusal says, as data. */
export interface Detail {
  readonly field: string
  readonly line?: number | null
  readonly given: unknown
  readonly allowed: string
  readonly example: string
  readonly nearest?: string | undefined
}
