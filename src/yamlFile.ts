import { readFile } from "node:fs/promises"
import { InputError, inside } from "./inputError.js"
import { yamlText } from "./yamlText.js"

/**
 * What is read of a YAML or JSON file.
 *
 * @param file its path; what it is to the user, and a line of such a file, for a refusal; @param read takes what the
 * file holds, and what says of a later refusal where its field stands. A field that it refuses is said with the file and
 * the line.
 * @throws InputError for a file that cannot be read, a line that is no YAML, or what `read` refuses.
 */
export async function readYaml<T>(
  { path, field, example }: { readonly path: string; readonly field: string; readonly example: string },
  read: (value: unknown, placed: (error: unknown) => unknown) => T | Promise<T>,
): Promise<T> {
  const { value, lineOf } = yamlText(await readText(path, field, example), path, example)
  const placed = (error: unknown) => inside(error, path, lineOf)
  try {
    return await read(value, placed)
  } catch (error) {
    throw placed(error)
  }
}

/** The text of a YAML or JSON file. @throws InputError as {@link readYaml} for one that cannot be read. */
export function readText(path: string, field: string, example: string): Promise<string> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    const allowed = `a YAML or JSON file that can be read (${error.code})`
    throw new InputError({ field, given: path, allowed, example })
  })
}
