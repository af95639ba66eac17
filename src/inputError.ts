/**
 * Input that a user can correct: which field, what was given, what is allowed, an example.
 *
 * The command line prints the message and exits with 2.
 */
export class InputError extends Error {
  readonly field: string
  readonly given: string
  readonly allowed: string
  readonly example: string

  constructor(detail: { field: string; given: unknown; allowed: string; example: string }) {
    super(
      `${detail.field}: got ${JSON.stringify(detail.given)}; allowed: ${detail.allowed}; for example ${detail.example}`,
    )
    this.name = "InputError"
    this.field = detail.field
    this.given = String(detail.given)
    this.allowed = detail.allowed
    this.example = detail.example
  }
}
