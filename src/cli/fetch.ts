import { type HubKind, isHubName } from "../checkpoint/hub/cache.js"
import { type Fetched, fetchRepository } from "../checkpoint/hub/fetch.js"
import { InputError } from "../inputError.js"
import { interruption } from "./interruption.js"
import { progress } from "./progress.js"

/** Options of `fetch` as typed. */
export interface FetchCommandOptions {
  readonly dataset?: boolean
  readonly files?: readonly string[]
  readonly json?: boolean
}

/** Fetches models or data sets of the hub into its cache, and says where they are. */
export async function fetchCommand(
  names: readonly string[],
  { dataset = false, files, json }: FetchCommandOptions,
): Promise<number> {
  const kind: HubKind = dataset ? "dataset" : "model"
  const odd = names.find((name) => !isHubName(name))
  if (odd !== undefined)
    throw new InputError({
      field: "name",
      given: odd,
      allowed: "an owner and a name on the hub, or a name alone",
      example: dataset ? "fetch nyu-mll/glue --dataset" : "fetch FacebookAI/roberta-base",
    })
  const done = []
  for (const name of names) {
    const found = await fetchOne(kind, name, files)
    done.push({ name, kind, ...found })
    if (!json) process.stdout.write(`${name}: ${wordsOf(found)}\n${found.folder}\n`)
  }
  if (json) process.stdout.write(`${JSON.stringify(done, null, 2)}\n`)
  return 0
}

async function fetchOne(kind: HubKind, name: string, files: readonly string[] | undefined): Promise<Fetched> {
  let bar: ReturnType<typeof progress> | null = null
  try {
    return await fetchRepository(kind, name, {
      ...(files === undefined ? {} : { files }),
      signal: interruption.signal,
      begin: (missing) => {
        const bytes = bytesOf(missing)
        process.stderr.write(`${name}: ${missing.length} files to fetch, ${megabytes(bytes)}\n`)
        bar = progress(name, missing.length, bytes)
      },
      advance: (bytes) => bar?.advance(bytes),
    })
  } finally {
    ;(bar as ReturnType<typeof progress> | null)?.stop()
  }
}

function wordsOf({ files, fetched, commit }: Fetched): string {
  return `${files.length} files at ${commit.slice(0, 7)}, ${fetched.length} of them fetched (${megabytes(bytesOf(fetched))})`
}

function bytesOf(files: Fetched["files"]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toPrecision(3)} MB`
}
