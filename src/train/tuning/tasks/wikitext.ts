/** WikiText (arXiv 1609.07843): perplexity of running text in windows that overlap. */
import { readFile } from "node:fs/promises"
import { z } from "zod"
import { documented } from "../../../checked.js"
import { InputError } from "../../../inputError.js"
import type { TaskReader } from "../task.js"
import { Data, dataFolder, Most, splitFiles } from "./files.js"
import { readRows, utf8 } from "./rows.js"
import { inWindows, windowFields } from "./windows.js"

const CONFIGS = ["wikitext-2-raw-v1", "wikitext-103-raw-v1", "wikitext-2-v1", "wikitext-103-v1"] as const
/** Folders of the original archives. */
const ARCHIVES: Readonly<Record<(typeof CONFIGS)[number], string>> = {
  "wikitext-2-raw-v1": "wikitext-2-raw",
  "wikitext-103-raw-v1": "wikitext-103-raw",
  "wikitext-2-v1": "wikitext-2",
  "wikitext-103-v1": "wikitext-103",
}

const Fields = z.strictObject({
  kind: documented(z.literal("wikitext"), "wikitext", "wikitext"),
  name: documented(z.enum(CONFIGS), CONFIGS.join(", "), "wikitext-2-raw-v1").default("wikitext-2-raw-v1"),
  data: Data("Salesforce/wikitext"),
  evaluation: documented(
    z.enum(["validation", "test"]),
    "the split that is judged: validation or test",
    "test",
  ).default("validation"),
  ...windowFields(1024, 512),
  mostTrain: Most("lines that are trained on").exactOptional(),
  mostTest: Most("lines that are judged").exactOptional(),
})

/** WikiText from the original text files or the hub's Parquet: both give the same text. */
export const wikitextTask: TaskReader<z.output<typeof Fields>> = {
  fields: Fields,
  read: async ({ name, data, evaluation, mostTrain, mostTest, ...windows }, open) => {
    const judgedBy = inWindows(windows, 512)
    const folder = await dataFolder(data, open)
    const read = async (split: string, field: string, most: number | undefined) => {
      const short = split === "validation" ? "valid" : split
      const files = await splitFiles(folder, [split, `wiki.${short}`], [name, ARCHIVES[name], ""], field)
      const lines = (await Promise.all(files.map(linesOf))).flat()
      const text = lines.slice(0, most).join("")
      if (text.trim() !== "") return text
      throw new InputError({
        field,
        given: files.join(", "),
        allowed: "files with text in them",
        example: "wiki.train.raw",
      })
    }
    const train = await read("train", "task.data", mostTrain)
    return {
      name,
      train: { kind: "causal", texts: [train] },
      evaluation: judgedBy([await read(evaluation, "task.evaluation", mostTest)]),
      metric: "perplexity",
    }
  },
}

/** The lines of the original file, with their ends. */
async function linesOf(path: string): Promise<readonly string[]> {
  if (/\.(parquet|jsonl|json)$/.test(path))
    // On the hub an empty line of the archive, " \n", is an empty text.
    return (await readRows(path)).map((row) => (row.text("text") === "" ? " \n" : row.text("text")))
  return utf8(path, await readFile(path)).split(/(?<=\n)/)
}
