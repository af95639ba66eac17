import { InputError } from "../inputError.js"

/** Where something stands in a file. */
export interface FilePlace {
  readonly file: string
  /** Counted from the file's first byte; null where a text is read as a whole. */
  readonly byte: number | null
  /** The part of the format, as `shape of "a.weight"`. */
  readonly part: string
}

/** A checkpoint's file that does not follow its format: which file, byte and field. */
export class MalformedFile extends InputError {
  readonly file: string
  readonly byte: number | null
  readonly part: string

  constructor({ file, byte, part }: FilePlace, given: unknown, allowed: string, example: string) {
    const at = byte === null ? "" : `, byte ${byte}`
    super({ field: `${file}${at}: ${shortened(part)}`, given: brief(given), allowed, example })
    this.name = "MalformedFile"
    this.file = file
    this.byte = byte
    this.part = part
  }
}

/** The most characters of a value that an error repeats. */
const LONGEST = 120

/** A value as an error shows it: short, whatever a file holds. */
function brief(value: unknown): unknown {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value
  return shortened(typeof value === "string" ? value : String(JSON.stringify(value)))
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length} characters)`
}
