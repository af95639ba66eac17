import { InputError } from "../inputError.js"
import { openBytes } from "./byteSource.js"
import { MalformedFile } from "./malformed.js"

/**
 * A text file of at most so many bytes.
 *
 * @throws InputError for what cannot be read, MalformedFile for what is too long or no UTF-8.
 */
async function readText(path: string, most = 100_000_000): Promise<string> {
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

/** A JSON file. @throws as `readText`, and MalformedFile for what is no JSON. */
export async function readJson(path: string, most?: number): Promise<unknown> {
  const text = await readText(path, most)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new MalformedFile({ file: path, byte: null, part: "text" }, String(error), "JSON", "{}")
  }
}
