/** The files of a data set's splits in a folder, as the hub and the original archives lay them. */
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { count, documented } from "../../../checked.js"
import { pathOrHub } from "../../../checkpoint/hub/cache.js"
import { InputError } from "../../../inputError.js"
import { type Layout, type Row, readRows } from "./rows.js"

/** Fields that tasks share. */
export const Data = (example: string) =>
  documented(z.string().min(1), "a folder, or the name of a data set on the hub that is in its cache", example)
export const Most = (what: string) => count(1, `of the ${what} at most so many, the first ones`, 1000)

/** Endings that are read, in the order in which they are looked for. */
const ENDINGS = [".parquet", ".jsonl", ".json", ".tsv", ".csv", ".txt", ".raw", ".tokens"]

/**
 * The folder that a task's field `data` names.
 *
 * @param open the place of a path, which may be relative to the configuration's folder.
 * @throws InputError naming the field, for what is neither there nor in the hub's cache.
 */
export async function dataFolder(data: string, open: (path: string) => string, field = "task.data"): Promise<string> {
  const folder = await pathOrHub("dataset", data, open(data), field)
  if ((await stat(folder)).isDirectory()) return folder
  const allowed = "a folder with a file for each split: a file alone would be trained on and judged"
  throw new InputError({ field, given: data, allowed, example: "glue/" })
}

/** The files of the split that is trained on, or the file that the field names itself. @throws as `dataFolder`. */
export async function trainFiles(data: string, open: (path: string) => string): Promise<readonly string[]> {
  const found = await pathOrHub("dataset", data, open(data), "task.data")
  return (await stat(found)).isFile() ? [found] : splitFiles(found, ["train"], ["data", ""], "task.data")
}

/**
 * The files of a split: NAME.ENDING, or NAME-00000-of-00002.ENDING and those that follow, in one of the folders.
 *
 * @param names what the split's files may be called; @param within folders below the given one, "" for itself.
 * @throws InputError naming the field, with all that was looked for, and for parts of which some are missing.
 */
export async function splitFiles(
  folder: string,
  names: readonly string[],
  within: readonly string[],
  field: string,
): Promise<readonly string[]> {
  for (const sub of within) {
    const entries = (await readdir(join(folder, sub)).catch(() => [])).sort()
    for (const name of names)
      for (const ending of ENDINGS) {
        if (entries.includes(`${name}${ending}`)) return [join(folder, sub, `${name}${ending}`)]
        const parts = entries.filter((entry) => entry.startsWith(`${name}-`) && partOf(entry, name, ending) !== null)
        if (parts.length === 0) continue
        const { of } = partOf(parts[0]!, name, ending)!
        if (parts.length !== of || parts.some((entry) => partOf(entry, name, ending)!.of !== of))
          throw new InputError({
            field,
            given: parts.join(", "),
            allowed: `all ${of} parts in ${join(folder, sub)}`,
            example: `${name}-00000-of-0000${of}${ending}`,
          })
        return parts.map((entry) => join(folder, sub, entry))
      }
  }
  throw new InputError({
    field,
    given: folder,
    allowed: `a folder with ${names.join(" or ")} as ${ENDINGS.join(", ")}${within.some((sub) => sub !== "") ? `, or one of its folders ${within.filter((sub) => sub !== "").join(", ")} with it` : ""}`,
    example: `${join(within.find((sub) => sub !== "") ?? "", names[0]!)}.parquet`,
  })
}

function partOf(entry: string, name: string, ending: string): { readonly of: number } | null {
  const found = /^-(\d{5})-of-(\d{5})$/.exec(entry.endsWith(ending) ? entry.slice(name.length, -ending.length) : "")
  return found === null ? null : { of: Number(found[2]) }
}

/** The rows of several files, one file behind the other, at most so many. @throws as `readRows`. */
export async function rowsOf(
  files: readonly string[],
  most = Number.POSITIVE_INFINITY,
  layout: Layout = {},
): Promise<Row[]> {
  const rows: Row[] = []
  for (const file of files) {
    if (rows.length >= most) break
    rows.push(...(await readRows(file, layout)))
  }
  return rows.slice(0, most)
}
