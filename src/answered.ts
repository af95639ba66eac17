import { type Detail, InputError } from "./inputError.js"

/** What a thread answers: an error that leaves it has lost its kind, so a refusal goes as data. */
export type Answer<T> = { readonly result: T } | { readonly refused: Detail }

/** The work's result, or what it refused, as data that a thread can send. @throws every other error. */
export async function answered<T>(work: Promise<T>): Promise<Answer<T>> {
  try {
    return { result: await work }
  } catch (error) {
    if (error instanceof InputError) return { refused: error.sent() }
    throw error
  }
}

/** The result that a thread answered. @throws InputError for what it refused. */
export function resultOf<T>(answer: Answer<T>): T {
  if ("refused" in answer) throw new InputError(answer.refused)
  return answer.result
}
