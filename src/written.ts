import { InputError } from "./inputError.js"

/**
 * Writes to a place that a user named.
 *
 * @param field the option that named it.
 * @throws InputError where the system refuses the place, with its reason; any other error as it is.
 */
export async function written<T>(field: string, path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    const reason = refusalOf(error)
    if (reason === null) throw error
    throw new InputError({
      field,
      given: path,
      allowed: `a place that can be written (${reason})`,
      example: "a name in a folder of your own, as results/run-1",
    })
  }
}

/** What the system, or DuckDB for it, said of a place; null for an error of another kind. */
function refusalOf(error: unknown): string | null {
  if (!(error instanceof Error) || error instanceof InputError) return null
  const { code, syscall } = error as NodeJS.ErrnoException
  if (syscall !== undefined && code !== undefined) return code
  return error.message.startsWith("IO Error: ") ? error.message.split("\n")[0]! : null
}
