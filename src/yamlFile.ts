import { readFile } from "node:fs/promises"
import { InputError } from "./inputError.js"
import { yamlText } from "./yamlText.js"

/**
 * What a YAML or JSON file holds.
 *
 * @param field what the file is to the user, for a refusal; @param example a line of such a file.
 * @throws InputError for a file that cannot be read, or a line that is no YAML.
 */
export async function readYaml(path: string, field: string, example: string): Promise<unknown> {
  return yamlText(await readText(path, field, example), path, example)
}

/** The text of a YAML or JSON file. @throws InputError as {@link readYaml} for one that cannot be read. */
export function readText(path: string, field: string, example: string): Promise<string> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    const allowed = `a YAML or JSON file that can be read (${error.code})`
    throw new InputError({ field, given: path, allowed, example })
  })
}
