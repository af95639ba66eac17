/** Windows in which the perplexity of running text is read: what tasks of running text share. */
import { count } from "../../../checked.js"
import { InputError } from "../../../inputError.js"
import type { Evaluation } from "../task.js"

/** The fields of windows, with their defaults. */
export function windowFields(window: number, stride: number) {
  return {
    window: count(2, "tokens of a window of the evaluation", window).default(window),
    stride: count(1, "tokens that are new in the next window, at most the window's", stride).default(stride),
  }
}

/** The evaluation of texts in such windows. @throws InputError, at once, for a stride that leaves tokens out. */
export function inWindows(
  { window, stride }: { readonly window: number; readonly stride: number },
  example: number,
): (texts: readonly string[]) => Evaluation {
  if (stride > window)
    throw new InputError({
      field: "task.stride",
      given: stride,
      allowed: `at most the window's ${window}`,
      example: String(example),
    })
  return (texts) => ({ kind: "perplexity", texts, length: window, stride })
}
