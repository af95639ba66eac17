import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { InputError } from "../inputError.js"
import { written } from "../written.js"

/**
 * Checks that a report may be written to the folder: it is absent, empty, or an earlier report (it holds `marker`).
 *
 * @throws InputError otherwise, so that no other folder is ever replaced.
 */
export async function requireReplaceable(target: string, marker: string): Promise<void> {
  const entries: string[] = await readdir(target).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") return []
    throw new InputError({ field: "--out", given: target, allowed: "a folder", example: "--out report" })
  })
  if (entries.length > 0 && !entries.includes(marker))
    throw new InputError({
      field: "--out",
      given: target,
      allowed: "a new or empty folder, or an earlier report: this one holds other files",
      example: "--out report",
    })
}

/**
 * Fills a temporary folder beside the target and swaps it in; on failure nothing is left and the target is as it was.
 */
export async function replaceFolder(
  target: string,
  marker: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  await requireReplaceable(target, marker)
  const place = resolve(target)
  const temporary = await written("--out", target, async () => {
    await mkdir(dirname(place), { recursive: true })
    return mkdtemp(join(dirname(place), `.${basename(place)}-`))
  })
  try {
    await fill(temporary)
    await rm(place, { recursive: true, force: true })
    await rename(temporary, place)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
}
