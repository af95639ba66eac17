import { parseDocument } from "yaml"
import { InputError } from "./inputError.js"

/**
 * What a YAML or JSON text holds.
 *
 * @param place where it stands, for a refusal; @param example a line of such a text.
 * @throws InputError for a line that is no YAML.
 */
export function yamlText(text: string, place: string, example: string): unknown {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined)
    throw new InputError({
      field: place,
      given: text.split("\n")[(error.linePos?.[0].line ?? 1) - 1] ?? "",
      allowed: `YAML or JSON (${error.message.split("\n")[0]})`,
      example,
    })
  return document.toJS()
}
