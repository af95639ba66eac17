import { TextDecoder } from "node:util"

/** A text and how its bytes were read, if not as UTF-8. */
export interface Decoded {
  readonly text: string
  readonly note: string | null
}

/**
 * The text of a file's bytes: by its byte order mark, UTF-16 without one where every other byte is zero, else UTF-8,
 * and Windows-1252 where that fails, said.
 *
 * @returns null for bytes that are no text.
 */
export function decode(bytes: Uint8Array): Decoded | null {
  const encoding = unicode(bytes)
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
    return text.includes("\0") ? null : { text, note: null }
  } catch {
    if (encoding !== "utf-8" || bytes.includes(0)) return null
    return { text: new TextDecoder("windows-1252").decode(bytes), note: "The file is no UTF-8: read as Windows-1252." }
  }
}

function unicode(bytes: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le"
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be"
  const head = bytes.subarray(0, 200)
  const zeros = (parity: number) => head.filter((byte, i) => i % 2 === parity && byte === 0).length
  if (head.length < 4) return "utf-8"
  if (zeros(1) > head.length / 3) return "utf-16le"
  if (zeros(0) > head.length / 3) return "utf-16be"
  return "utf-8"
}
