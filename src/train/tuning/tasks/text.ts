/** Running text: perplexity on text of one's own. */
import { readFile } from "node:fs/promises"
import { z } from "zod"
import { count, documented } from "../../../checked.js"
import { InputError } from "../../../inputError.js"
import type { TaskReader } from "../task.js"
import { inWindows, windowFields } from "./windows.js"

const File = documented(z.string().min(1), "a file of text in UTF-8", "novel.txt")

const Fields = z.strictObject({
  kind: documented(z.literal("text"), "text", "text"),
  train: documented(z.array(File).min(1), "the files of text that are trained on, one at least", ["novel.txt"]),
  test: documented(z.array(File).min(1), "the files that perplexity is of", ["another.txt"]),
  ...windowFields(128, 64),
  most: count(1, "of the test's characters, at most how many are read", 20_000).exactOptional(),
})

/** Texts in files, trained on in blocks and judged by perplexity in windows. */
export const textTask: TaskReader<z.output<typeof Fields>> = {
  fields: Fields,
  read: async ({ train, test, most, ...windows }, open) => {
    const judgedBy = inWindows(windows, 64)
    const texts = (files: readonly string[], field: string) =>
      Promise.all(files.map((file, i) => text(open(file), `task.${field}[${i}]`)))
    const judged = await texts(test, "test")
    return {
      name: "text",
      train: { kind: "causal", texts: await texts(train, "train") },
      evaluation: judgedBy(most === undefined ? judged : cut(judged, most)),
      metric: "perplexity",
    }
  },
}

/** The first characters of texts that follow each other. */
function cut(texts: readonly string[], most: number): string[] {
  let left = most
  return texts.flatMap((text) => {
    const own = text.slice(0, left)
    left -= own.length
    return own === "" ? [] : [own]
  })
}

/** @throws InputError for a file that cannot be read, is empty, or is not UTF-8. */
async function text(path: string, field: string): Promise<string> {
  const refuse = (allowed: string) => new InputError({ field, given: path, allowed, example: "novel.txt" })
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch {
    throw refuse("a file that can be read")
  }
  let found: string
  try {
    found = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    throw refuse("a file of text in UTF-8")
  }
  if (found.trim() === "") throw refuse("a file with text in it")
  return found
}
