import { readFile } from "node:fs/promises"
import { parseDocument } from "yaml"
import { InputError } from "./inputError.js"

/**
 * What a YAML or JSON file holds.
 *
 * @param field what the file is to the user, for a refusal; @param example a line of such a file.
 * @throws InputError for a file that cannot be read, or a line that is no YAML.
 */
export async function readYaml(path: string, field: string, example: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    const allowed = `a YAML or JSON file that can be read (${error.code})`
    throw new InputError({ field, given: path, allowed, example })
  })
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined)
    throw new InputError({
      field: path,
      given: text.split("\n")[(error.linePos?.[0].line ?? 1) - 1] ?? "",
      allowed: `YAML or JSON (${error.message.split("\n")[0]})`,
      example,
    })
  return document.toJS()
}
