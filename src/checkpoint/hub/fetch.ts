/** Fetches a repository of the hub into the cache: every file checked by its size and digest, links and branch last. */
import { createHash, type Hash, randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { copyFile, type FileHandle, mkdir, open, rename, rm, statfs, symlink } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { InputError } from "../../inputError.js"
import { mebibytes } from "../../mebibytes.js"
import { wildcard } from "../../wildcard.js"
import { writeFileAtomic } from "../../writeFileAtomic.js"
import { BRANCH, type HubKind, repositoryFolder } from "./cache.js"
import { HubFailure } from "./failure.js"
import { openRepository, type RemoteFile, type Repository, reasonOf } from "./remote.js"

/** How files are fetched. */
export interface FetchOptions {
  /** Paths of the repository, `*` for any text in them; by default what a model or data set of this kind is read from. */
  readonly files?: readonly string[]
  readonly signal?: AbortSignal
  /** Milliseconds before the first try that follows a broken connection; later ones wait longer. */
  readonly pause?: number
  /** Told what is still to fetch, before the first byte. */
  readonly begin?: (files: readonly RemoteFile[]) => void
  /** Told of bytes as they come. */
  readonly advance?: (bytes: number) => void
}

/** What was fetched. */
export interface Fetched {
  readonly commit: string
  /** The snapshot's folder. */
  readonly folder: string
  /** All files that were asked for, and those of them that came now. */
  readonly files: readonly RemoteFile[]
  readonly fetched: readonly RemoteFile[]
}

/** How often a file is begun or gone on with before it is given up. */
const MOST_TRIES = 5

/** What pretrained models are read from: beside their weights the configuration and the tokenizer, in the first folder. */
const OF_MODELS = /^[^/]+\.(safetensors|json)$|^(vocab|merges)\.txt$|^tokenizer\.model$/
/** What data sets are read from, in any folder. */
const OF_DATASETS = /\.(parquet|jsonl|json|tsv|csv|txt|raw|tokens)$/
/** Pickles and scripts, which run code where they are read: fetched under their full names alone. */
const RUNS = /\.(bin|pt|pth|ckpt|pkl|pickle|joblib|h5|py)$/i

/**
 * Fetches what the cache does not have. A file is there as a whole or not at all, and the snapshot has all files or is
 * not there; whatever was fetched before stays.
 *
 * @throws InputError for a name or file that the hub lacks, or a disk without room; HubFailure where it cannot be
 * reached or a file is not what the hub lists; the signal's reason if it aborts.
 */
export async function fetchRepository(kind: HubKind, name: string, options: FetchOptions = {}): Promise<Fetched> {
  const repository = await openRepository(kind, name, options.signal)
  const { commit } = repository
  const files = chosen(kind, name, repository.files, options.files)
  const own = repositoryFolder(kind, name)
  const folder = join(own, "snapshots", commit)
  const blobs = join(own, "blobs")
  const missing = files.filter(
    ({ path, digest }) => !existsSync(join(folder, path)) && !existsSync(join(blobs, digest.hex)),
  )
  // Two names may be of one content.
  const fetched = [...new Map(missing.map((file) => [file.digest.hex, file])).values()]
  await mkdir(blobs, { recursive: true })
  await requireRoom(blobs, fetched)
  options.begin?.(fetched)
  for (const file of fetched) await fetchFile(repository, file, join(blobs, file.digest.hex), options)
  await writeSnapshot(folder, files, blobs)
  await mkdir(join(own, "refs"), { recursive: true })
  await writeFileAtomic(join(own, "refs", BRANCH), commit)
  return { commit, folder, files, fetched }
}

/** The files that are asked for. @throws InputError for a pattern that fits none, or a repository without weights. */
function chosen(
  kind: HubKind,
  name: string,
  files: readonly RemoteFile[],
  patterns: readonly string[] | undefined,
): readonly RemoteFile[] {
  const refuse = (field: string, given: string, allowed: string) => {
    const paths = files.map(({ path }) => path)
    const shown = `${paths.slice(0, 20).join(", ")}${paths.length > 20 ? ", …" : ""}`
    return new InputError({
      field,
      given,
      allowed: `${allowed}: it has ${shown}`,
      example: `--files ${paths[0] ?? "*"}`,
    })
  }
  if (patterns === undefined) {
    const usual = files.filter(({ path }) => (kind === "model" ? OF_MODELS : OF_DATASETS).test(path))
    const isEnough = kind === "model" ? usual.some(({ path }) => path.endsWith(".safetensors")) : usual.length > 0
    if (isEnough) return usual
    const what = kind === "model" ? "a model in safetensors" : "a data set in Parquet, JSON lines, JSON, CSV or TSV"
    throw refuse("name", name, `${what}, or --files with what is to be fetched of it`)
  }
  for (const pattern of patterns)
    if (!files.some(({ path }) => fits(pattern, path)))
      throw refuse(
        "--files",
        pattern,
        `paths of ${name}, * for any text (not for pickles and scripts, by their full names alone)`,
      )
  return files.filter(({ path }) => patterns.some((pattern) => fits(pattern, path)))
}

function fits(pattern: string, path: string): boolean {
  return pattern === path || (!RUNS.test(path) && wildcard(pattern).test(path))
}

/** @throws InputError where the disk has less room than the files need. */
async function requireRoom(folder: string, files: readonly RemoteFile[]): Promise<void> {
  const needed = files.reduce((sum, { size }) => sum + size, 0)
  const { bavail, bsize } = await statfs(folder)
  if (needed <= bavail * bsize) return
  throw new InputError({
    field: "HF_HOME",
    given: folder,
    allowed: `a place with room for ${mebibytes(needed)}: this one has ${mebibytes(bavail * bsize)}`,
    example: "HF_HOME=/data/huggingface",
  })
}

/** A file while it comes. */
interface Coming {
  readonly handle: FileHandle
  received: number
  hash: Hash
  /** Whether bytes came behind those of a connection that broke. */
  joined: boolean
}

/** One file, under its last name only once it is whole and what the hub lists. */
async function fetchFile(repository: Repository, file: RemoteFile, to: string, options: FetchOptions): Promise<void> {
  const temporary = unfinished(to)
  const handle = await open(temporary, "wx")
  try {
    const coming: Coming = { handle, received: 0, hash: hashOf(file), joined: false }
    for (let attempt = 1; ; attempt++) {
      const broken = await receive(repository, file, coming, options)
      if (broken === null) break
      options.signal?.throwIfAborted()
      if (attempt === MOST_TRIES)
        throw new HubFailure(
          `${file.path} did not come as a whole in ${MOST_TRIES} tries, ${coming.received} of ${file.size} bytes of it: ${broken}`,
        )
      await wait(
        (options.pause ?? 1000) * attempt,
        undefined,
        options.signal === undefined ? {} : { signal: options.signal },
      )
    }
    await handle.sync()
    await handle.close()
    await rename(temporary, to)
  } finally {
    await handle.close().catch(() => {})
    await rm(temporary, { force: true })
  }
}

/**
 * Goes on with a file to its end, from what has come of it.
 *
 * @returns why it is not whole; null if it is.
 * @throws HubFailure for a file that came in one piece, of its size, and is another one.
 */
async function receive(
  repository: Repository,
  file: RemoteFile,
  coming: Coming,
  { advance }: FetchOptions,
): Promise<string | null> {
  const again = async () => {
    advance?.(-coming.received)
    await coming.handle.truncate(0)
    Object.assign(coming, { received: 0, hash: hashOf(file), joined: false })
  }
  try {
    if (coming.received < file.size) {
      coming.joined = coming.received > 0
      for await (const part of await repository.read(file, coming.received)) {
        await coming.handle.write(part, 0, part.byteLength, coming.received)
        coming.hash.update(part)
        coming.received += part.byteLength
        advance?.(part.byteLength)
        if (coming.received > file.size) break
      }
    }
  } catch (error) {
    if (error instanceof InputError || (error instanceof HubFailure && !error.mayPass)) throw error
    return reasonOf(error)
  }
  if (coming.received < file.size) return "the connection ended"
  if (coming.received === file.size && coming.hash.copy().digest("hex") === file.digest.hex) return null
  // Not every server goes on where it is asked to.
  if (coming.joined) {
    await again()
    return "its pieces do not fit"
  }
  const found = coming.received > file.size ? "more bytes" : "other bytes"
  throw new HubFailure(
    `${file.path} has ${found} than the hub lists (${file.size}, ${file.digest.kind} ${file.digest.hex})`,
  )
}

/** Git hashes a file behind a line with its length. */
function hashOf({ digest, size }: RemoteFile): Hash {
  return digest.kind === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`)
}

/** Links the files under their names: a new snapshot appears with all of them at once. */
async function writeSnapshot(folder: string, files: readonly RemoteFile[], blobs: string): Promise<void> {
  const isNew = !existsSync(folder)
  const place = isNew ? join(dirname(blobs), unfinished("snapshot")) : folder
  try {
    for (const { path, digest } of files) {
      const link = join(place, path)
      if (existsSync(link)) continue
      await mkdir(dirname(link), { recursive: true })
      await rm(link, { force: true })
      await linkTo(join(blobs, digest.hex), link, join(folder, path))
    }
    if (!isNew) return
    await mkdir(dirname(folder), { recursive: true })
    await rename(place, folder)
  } finally {
    if (isNew) await rm(place, { recursive: true, force: true })
  }
}

/** @param last where the link will stand. */
async function linkTo(blob: string, link: string, last: string): Promise<void> {
  try {
    await symlink(relative(dirname(last), blob), link)
  } catch (error) {
    // Windows has links for few users; the hub's own tools copy there too.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error
    const copied = unfinished(link)
    await copyFile(blob, copied)
    await rename(copied, link)
  }
}

/** A name that no finished file has. */
function unfinished(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.incomplete`
}
