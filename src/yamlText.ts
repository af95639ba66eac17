import { isCollection, isMap, isPair, isScalar, LineCounter, type Node, parseDocument } from "yaml"
import { InputError } from "./inputError.js"

/** What a text holds, and where. */
interface YamlText {
  readonly value: unknown
  /**
   * The line, counted from 1, of a field as refusals say it (`start.B`, `schemes[1].set`), or of the innermost one around
   * it that the text has; null for one that lies in none.
   */
  readonly lineOf: (field: string) => number | null
}

/**
 * What a YAML or JSON text holds.
 *
 * @param place where it stands, for a refusal; @param example a line of such a text.
 * @throws InputError for a line that is no YAML.
 */
export function yamlText(text: string, place: string, example: string): YamlText {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter })
  const [error] = document.errors
  if (error !== undefined) {
    const line = error.linePos?.[0].line ?? 1
    throw new InputError({
      field: `${place}:${line}`,
      line,
      given: text.split("\n")[line - 1] ?? "",
      allowed: `YAML or JSON (${error.code === "MULTIPLE_DOCS" ? "one document, without ---" : error.message.split("\n")[0]})`,
      example,
    })
  }
  const lineOf = (field: string) => {
    // A key may hold dots itself.
    const start = startOf(document.contents, [field]) ?? startOf(document.contents, field.match(/[^.[\]]+/g) ?? [])
    return start === null ? null : lineCounter.linePos(start).line
  }
  return { value: document.toJS(), lineOf }
}

/** Where the field of a path starts in the text, or the innermost one around it; null where even its first step is missing. */
function startOf(node: Node | null, [step, ...rest]: readonly string[]): number | null {
  if (step === undefined || !isCollection(node)) return null
  const item: unknown = isMap(node)
    ? node.items.find(({ key }) => isScalar(key) && String(key.value) === step)
    : node.items[Number(step)]
  if (item === undefined) return null
  const [first, inner] = isPair(item) ? [item.key as Node, item.value as Node | null] : [item as Node, item as Node]
  return startOf(inner, rest) ?? first.range![0]
}
