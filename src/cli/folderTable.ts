import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join, resolve } from "node:path"
import { InputError } from "../inputError.js"
import { measureRun } from "../inspect/measureRun.js"
import { readRuns } from "../inspect/run.js"
import { tableRows } from "../inspect/table.js"
import { decode } from "../table/encoding.js"
import { escaped } from "../wildcard.js"

/** A text that names lines of the file that was read, as the user knows them. */
export type Told = (text: string) => string

/**
 * Uses a table by its path, where the path may also be a folder: of recorded JSON lines, which are put one after
 * another, or of runs, which are measured as `inspect --table` does.
 *
 * @param use gets the file to read, and what makes texts that name its lines name the folder's files.
 * @throws InputError for a folder with neither, a file of it that is no text, and what `use` throws.
 */
export async function withTable<T>(path: string, use: (file: string, told: Told) => Promise<T>): Promise<T> {
  const found = await stat(path).catch(() => null)
  if (found === null || !found.isDirectory()) return use(path, (text) => text)
  const folder = await mkdtemp(join(tmpdir(), "lora-scaling-"))
  try {
    const file = join(folder, `${basename(resolve(path))}.jsonl`)
    const parts = await partsOf(path)
    await writeFile(file, parts.flatMap(({ lines }) => lines.map((line) => `${line}\n`)).join(""))
    const told = (text: string) =>
      text
        .replaceAll(new RegExp(`${escaped(file)}, line (\\d+)`, "g"), (_, line: string) => placeIn(parts, Number(line)))
        .replaceAll(file, path)
    return await use(file, told).catch((error: unknown) => {
      if (error instanceof InputError) error.message = told(error.message)
      throw error
    })
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Lines of a table, and the file that they are from. */
interface Part {
  readonly file: string
  readonly lines: readonly string[]
}

async function partsOf(path: string): Promise<readonly Part[]> {
  const names = (await readdir(path)).filter((name) => name.endsWith(".jsonl")).sort()
  if (names.length > 0) return Promise.all(names.map((name) => partOf(join(path, name))))
  const measured = []
  for (const run of await readRuns(path)) measured.push(await measureRun(run, null))
  return [{ file: path, lines: tableRows(measured).map((row) => JSON.stringify(row)) }]
}

async function partOf(file: string): Promise<Part> {
  const decoded = decode(await readFile(file))
  if (decoded === null)
    throw new InputError({ field: "file", given: file, allowed: "JSON lines in UTF-8 or UTF-16", example: "run.jsonl" })
  return { file, lines: decoded.text.trimEnd().split(/\r\n|\n/) }
}

/** The file and line, from 1, of a line of all parts. */
function placeIn(parts: readonly Part[], line: number): string {
  let rest = line
  for (const { file, lines } of parts) {
    if (rest <= lines.length) return `${file}, line ${rest}`
    rest -= lines.length
  }
  return `line ${line}`
}
