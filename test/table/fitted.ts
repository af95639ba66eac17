import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { readingOf, type TableOptions } from "../../src/cli/tableOptions.js"
import { type CurveTable, curveTable } from "../../src/fit/curves.js"
import { measuredRuns } from "../../src/table/measured.js"

/** What is typed where nothing is said. */
const USUAL: TableOptions = {
  width: "width",
  rate: "lr",
  loss: "loss",
  seed: "seed",
  by: [],
  pool: [],
  at: "last",
  edge: "0.02",
}

/** What `fit` finds, and what it says of how it read the table. */
export type Fitted = CurveTable & { readonly read: string }

/** What `fit` finds in a file. */
async function fittedFile(path: string, options: Partial<TableOptions> = {}): Promise<Fitted> {
  const { reading, rules } = readingOf({ ...USUAL, ...options }, null)
  const { table, runs, read, mixed } = await measuredRuns(path, reading)
  return { ...curveTable(table, runs, rules, mixed), read: read.join(" ") }
}

/** What `fit` finds in a file of this content, written to the folder. */
export async function fittedText(
  folder: string,
  content: string | Uint8Array,
  options: Partial<TableOptions> = {},
): Promise<Fitted> {
  const path = join(folder, "runs.txt")
  await writeFile(path, content)
  return fittedFile(path, options)
}
