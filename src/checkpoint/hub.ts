/** Models and data sets by their names on the Hugging Face hub, from the cache that its own tools fill. */
import { existsSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import { InputError } from "../inputError.js"

/** What the hub keeps apart. */
type HubKind = "model" | "dataset"

/** Whether a text may be a name on the hub: an owner and a name, or a name alone. */
function isHubName(text: string): boolean {
  return /^(?:[\w-][\w.-]*\/)?[\w-][\w.-]*$/.test(text) && text.length <= 96
}

/**
 * The folder of a snapshot in the hub's cache: the one that `main` is at, or the only one.
 *
 * Nothing is fetched here. Source of the layout: huggingface.co/docs/huggingface_hub/guides/manage-cache.
 *
 * @throws InputError with the line that fetches it, if it is not there.
 */
async function hubFolder(kind: HubKind, name: string, field: string): Promise<string> {
  const own = join(cacheFolder(), `${kind}s--${name.replace("/", "--")}`)
  const snapshots = join(own, "snapshots")
  const commit = await readFile(join(own, "refs/main"), "utf8").then(
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
    example: `hf download ${kind === "dataset" ? "--repo-type dataset " : ""}${name}`,
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

function cacheFolder(): string {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env
  return HF_HUB_CACHE ?? join(HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "huggingface"), "hub")
}
