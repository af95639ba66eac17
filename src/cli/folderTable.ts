import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join, resolve } from "node:path"
import { InputError } from "../inputError.js"
import { measureRun } from "../inspect/measureRun.js"
import { readRuns } from "../inspect/run.js"
import { tableRows } from "../inspect/table.js"

/**
 * Uses a table by its path, where the path may also be a folder: of recorded JSON lines, which are put one after
 * another, or of runs, which are measured as `inspect --table` does.
 *
 * @throws InputError for a folder with neither, and what `use` throws.
 */
export async function withTable<T>(path: string, use: (file: string) => Promise<T>): Promise<T> {
  const found = await stat(path).catch(() => null)
  if (found === null || !found.isDirectory()) return use(path)
  const folder = await mkdtemp(join(tmpdir(), "lora-scaling-"))
  try {
    const file = join(folder, `${basename(resolve(path))}.jsonl`)
    await writeFile(file, await linesOf(path))
    return await use(file).catch((error: unknown) => {
      // The table made of the folder is nobody's file: errors name the folder.
      if (error instanceof InputError) error.message = error.message.replaceAll(file, path)
      throw error
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function linesOf(path: string): Promise<string> {
  const names = (await readdir(path)).filter((name) => name.endsWith(".jsonl")).sort()
  if (names.length > 0)
    return (await Promise.all(names.map((name) => readFile(join(path, name), "utf8"))))
      .map((text) => `${text.trimEnd()}\n`)
      .join("")
  const measured = []
  for (const run of await readRuns(path)) measured.push(await measureRun(run, null))
  return tableRows(measured)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join("")
}
