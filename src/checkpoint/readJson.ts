import { InputError } from "../inputError.js"
import { openBytes } from "./byteSource.js"
import { MalformedFile } from "./malformed.js"

/** A text file of at most so many bytes. */
async function readText(path: string, most: number): Promise<string> {
  const source = await openBytes(path)
  try {
    if (source.size > most)
      throw new InputError({ field: "file", given: path, allowed: `at most ${most} bytes`, example: "config.json" })
    return new TextDecoder("utf-8", { fatal: true }).decode(await source.read(0, source.size))
  } catch (error) {
    if (error instanceof TypeError)
      throw new MalformedFile({ file: path, byte: null, part: "text" }, "other bytes", "UTF-8", "{}")
    throw error
  } finally {
    await source.close()
  }
}

/**
 * A JSON file of at most so many bytes.
 *
 * @param python reads NaN and Infinity too, as Python writes them, as the texts "NaN" and "Infinity".
 * @throws InputError for what cannot be read or is too long; MalformedFile for what is no UTF-8 or no JSON.
 */
export async function readJson(path: string, most = 100_000_000, python = false): Promise<unknown> {
  const text = await readText(path, most)
  try {
    return JSON.parse(python ? text.replace(/(:\s*)(-?Infinity|NaN)(?=\s*[,}\]])/g, '$1"$2"') : text)
  } catch (error) {
    throw new MalformedFile({ file: path, byte: null, part: "text" }, String(error), "JSON", "{}")
  }
}
