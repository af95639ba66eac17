import { Underivable } from "../../src/derive/underivable.js"
import { InputError } from "../../src/inputError.js"
import type { Refusal } from "../messages.js"

/** What went wrong, as the page tells it. */
export function refusalOf(error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof InputError) return { kind: "input", message, field: error.field, line: error.line }
  return { kind: error instanceof Underivable ? "underivable" : "bug", message, field: null, line: null }
}
