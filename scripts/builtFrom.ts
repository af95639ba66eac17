import { createHash } from "node:crypto"
import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"

/** What the build reads: folders, and files beside them. */
const SOURCES = ["proofs", "scripts", "src", "verify", "web"]
const SETTINGS = [
  "asconfig.json",
  "package.json",
  "package-lock.json",
  "rolldown.config.ts",
  "tsconfig.build.json",
  "tsconfig.json",
]

/** A build as it is noted in its own folder. */
interface Note {
  /** Digest of all sources, and of what built them. */
  readonly from: string
  /** The files that it made, with their sizes in bytes. */
  readonly made: Readonly<Record<string, number>>
}

const noteOf = (root: string) => join(root, "dist", "built.json")

/**
 * Digest of everything that the build reads in a checkout, of Node and of what else builds.
 *
 * @param tools names and versions of programs outside the checkout, such as the C compiler.
 */
export async function digestOfSources(root: string, tools: readonly string[]): Promise<string> {
  const digest = createHash("sha256").update(JSON.stringify([process.version, process.platform, process.arch, tools]))
  const found = await Promise.all(SOURCES.map((folder) => filesOf(join(root, folder))))
  const own = SETTINGS.map((name) => join(root, name))
  for (const file of [...own, ...found.flat().sort()])
    digest.update(JSON.stringify([relative(root, file), (await readFile(file)).toString("base64")]))
  return digest.digest("hex")
}

/** Whether dist was built from sources with this digest and still has all files that were made. */
export async function isBuiltFrom(root: string, from: string): Promise<boolean> {
  const text = await readFile(noteOf(root), "utf8").catch(() => null)
  if (text === null) return false
  const note = JSON.parse(text) as Note
  const made = await madeFiles(root)
  return note.from === from && Object.entries(note.made).every(([name, size]) => made[name] === size)
}

/** Notes in dist what it was built from. */
export async function noteBuilt(root: string, from: string): Promise<void> {
  const note: Note = { from, made: await madeFiles(root) }
  await writeFile(noteOf(root), `${JSON.stringify(note)}\n`)
}

async function madeFiles(root: string): Promise<Record<string, number>> {
  const dist = join(root, "dist")
  const files = (await filesOf(dist)).filter((file) => file !== noteOf(root)).sort()
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [relative(dist, file), (await stat(file)).size] as const)),
  )
}

async function filesOf(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
