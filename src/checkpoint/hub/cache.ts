/**
 * Models and data sets by their names on the Hugging Face hub, in the cache that its own tools fill and read.
 *
 * A repository has files by what they hold (blobs/ETAG), links to them under their names (snapshots/COMMIT/PATH), and
 * the commit that a branch is at (refs/main). Source of the layout: huggingface.co/docs/huggingface_hub/guides/manage-cache.
 */
import { existsSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { InputError } from "../../inputError.js"

/** What the hub keeps apart. */
export type HubKind = "model" | "dataset"

/** The branch that is read. */
export const BRANCH = "main"

/** Whether a text may be a name on the hub: an owner and a name, or a name alone. */
export function isHubName(text: string): boolean {
  return /^(?:[\w-][\w.-]*\/)?[\w-][\w.-]*$/.test(text) && text.length <= 96
}

/** The folder of the cache. */
function cacheFolder(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE } = process.env
  return HF_HUB_CACHE ?? HUGGINGFACE_HUB_CACHE ?? join(hubHome(), "hub")
}

/** The folder of the hub's tools. */
export function hubHome(): string {
  const { HF_HOME, XDG_CACHE_HOME } = process.env
  return HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "huggingface")
}

/** A repository's folder in the cache, there or not. */
export function repositoryFolder(kind: HubKind, name: string): string {
  return join(cacheFolder(), `${kind}s--${name.replace("/", "--")}`)
}

/**
 * The folder of a snapshot in the hub's cache: the one that `main` is at, or the only one. Nothing is fetched here.
 *
 * @throws InputError with the line that fetches it, if it is not there.
 */
async function hubFolder(kind: HubKind, name: string, field: string): Promise<string> {
  const own = repositoryFolder(kind, name)
  const snapshots = join(own, "snapshots")
  const commit = await readFile(join(own, "refs", BRANCH), "utf8").then(
    (text) => text.trim(),
    () => null,
  )
  const found = commit === null ? await readdir(snapshots).catch(() => []) : [commit]
  const [only] = found
  if (only !== undefined && found.length === 1 && existsSync(join(snapshots, only))) return join(snapshots, only)
  throw new InputError({
    field,
    given: name,
    allowed: `a path that exists, or a ${kind} of the hub that is in ${cacheFolder()}`,
    example: `lora-scaling fetch ${name}${kind === "dataset" ? " --dataset" : ""}`,
  })
}

/** The path itself where something is there, else the snapshot of the hub's model or data set of that name. */
export async function pathOrHub(kind: HubKind, given: string, path: string, field: string): Promise<string> {
  if (existsSync(path)) return path
  if (isHubName(given)) return hubFolder(kind, given, field)
  throw new InputError({
    field,
    given,
    allowed: `a path that exists, or the name of a ${kind} on the hub`,
    example: kind === "dataset" ? "nyu-mll/glue" : "FacebookAI/roberta-base",
  })
}
