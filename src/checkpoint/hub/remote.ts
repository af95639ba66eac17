/** The hub itself, or a mirror of it: what a repository has, and its files as streams. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { datasetInfo, downloadFile, HubApiError, listFiles, modelInfo } from "@huggingface/hub"
import { InputError } from "../../inputError.js"
import { BRANCH, type HubKind, hubHome } from "./cache.js"
import { HubFailure } from "./failure.js"

/** A file of a repository. */
export interface RemoteFile {
  /** Its parts by "/". */
  readonly path: string
  readonly size: number
  /** What it holds: SHA-256 of a large file, git's SHA-1 of another. */
  readonly digest: { readonly kind: "sha256" | "git"; readonly hex: string }
}

/** A repository at a commit. */
export interface Repository {
  readonly commit: string
  readonly files: readonly RemoteFile[]
  /** The bytes of a file from one on. @throws HubFailure, from the stream too. */
  read(file: RemoteFile, from: number): Promise<AsyncIterable<Uint8Array>>
}

/** Files of a repository that are listed at most. */
const MOST_FILES = 100_000

/**
 * What the hub has of a repository's main branch.
 *
 * @throws InputError for one that is not there or not open to the user; HubFailure where no hub answers, or not as one.
 */
export async function openRepository(kind: HubKind, name: string, signal?: AbortSignal): Promise<Repository> {
  const hubUrl = endpoint()
  const accessToken = await token()
  const fetched: typeof fetch = (url, init) => fetch(url, signal === undefined ? init : { ...init, signal })
  const shared = {
    ...{ repo: { type: kind, name }, hubUrl, fetch: fetched },
    ...(accessToken === undefined ? {} : { accessToken }),
  }
  const asked = <T>(act: () => Promise<T>) =>
    asking(act, { kind, name, hubUrl, isKnown: accessToken !== undefined, signal })
  return asked(async () => {
    const info = { ...shared, name, additionalFields: ["sha" as const], revision: BRANCH }
    const { sha } = await (kind === "model" ? modelInfo(info) : datasetInfo(info))
    if (!/^[0-9a-f]{40}$/.test(sha)) throw new HubFailure(`${hubUrl} names no commit of ${name}`)
    const files: RemoteFile[] = []
    for await (const entry of listFiles({ ...shared, recursive: true, revision: sha })) {
      if (entry.type === "file") files.push(checkedFile(entry, hubUrl))
      if (files.length > MOST_FILES) throw new HubFailure(`${name} has more than ${MOST_FILES} files`)
    }
    return {
      commit: sha,
      files,
      read: (file, from) =>
        asked(async () => {
          // By plain HTTP: what is kept in Xet is there too.
          const blob = await downloadFile({ ...shared, path: file.path, revision: sha, xet: false })
          if (blob === null) throw new HubFailure(`${hubUrl} lists ${file.path} of ${name}, and does not have it`)
          if (blob.size !== file.size)
            throw new HubFailure(
              `${file.path} of ${name} has ${blob.size} bytes, not ${file.size} as ${hubUrl} lists it`,
            )
          return (from === 0 ? blob : blob.slice(from)).stream() as unknown as AsyncIterable<Uint8Array>
        }),
    }
  })
}

/** The hub's address: HF_ENDPOINT's, as for its own tools. @throws InputError for another address than one of HTTP. */
function endpoint(): string {
  const { HF_ENDPOINT, HF_HUB_OFFLINE = "" } = process.env
  if (/^(1|on|yes|true)$/i.test(HF_HUB_OFFLINE))
    throw new InputError({
      field: "HF_HUB_OFFLINE",
      given: HF_HUB_OFFLINE,
      allowed: "0, or not set, where something is to be fetched",
      example: "HF_HUB_OFFLINE=0",
    })
  if (HF_ENDPOINT === undefined || HF_ENDPOINT === "") return "https://huggingface.co"
  if (/^https?:\/\//.test(HF_ENDPOINT) && URL.canParse(HF_ENDPOINT)) return HF_ENDPOINT.replace(/\/+$/, "")
  throw new InputError({
    field: "HF_ENDPOINT",
    given: HF_ENDPOINT,
    allowed: "the address of a hub, by http or https",
    example: "HF_ENDPOINT=https://huggingface.co",
  })
}

/** The user's token: HF_TOKEN's, or the one that `hf auth login` keeps. @throws InputError for what is none. */
async function token(): Promise<string | undefined> {
  const { HF_TOKEN, HF_TOKEN_PATH } = process.env
  const path = HF_TOKEN_PATH ?? join(hubHome(), "token")
  const found = (HF_TOKEN ?? (await readFile(path, "utf8").catch(() => ""))).trim()
  if (found === "") return undefined
  if (found.startsWith("hf_")) return found
  throw new InputError({
    field: HF_TOKEN === undefined ? path : "HF_TOKEN",
    given: `${found.length} characters`,
    allowed: "a token of the hub, which begins with hf_",
    example: "hf auth login",
  })
}

/** A file as the hub lists it. @throws HubFailure for a path or digest that is none. */
function checkedFile(
  { path, size, oid, lfs }: { path: string; size: number; oid?: string; lfs?: { oid: string; size: number } },
  hubUrl: string,
): RemoteFile {
  const isPart = (part: string) => !/^\.{0,2}$/.test(part) && !/[\\:\0]/.test(part)
  const digest = lfs === undefined ? ({ kind: "git", hex: oid } as const) : ({ kind: "sha256", hex: lfs.oid } as const)
  const bytes = lfs?.size ?? size
  const isDigest = new RegExp(`^[0-9a-f]{${digest.kind === "git" ? 40 : 64}}$`).test(digest.hex ?? "")
  if (path.split("/").every(isPart) && Number.isSafeInteger(bytes) && bytes >= 0 && isDigest)
    return { path, size: bytes, digest: { ...digest, hex: digest.hex! } }
  throw new HubFailure(
    `${hubUrl} lists a file that cannot be kept: ${JSON.stringify({ path, size: bytes, ...digest })}`,
  )
}

/** Asks, and says in words why there is no answer. */
async function asking<T>(
  act: () => Promise<T>,
  {
    kind,
    name,
    hubUrl,
    isKnown,
    signal,
  }: {
    kind: HubKind
    name: string
    hubUrl: string
    isKnown: boolean
    signal: AbortSignal | undefined
  },
): Promise<T> {
  try {
    return await act()
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof HubFailure || error instanceof InputError) throw error
    const refuse = (allowed: string, example: string) =>
      new InputError({ field: "name", given: name, allowed, example })
    if (error instanceof HubApiError && error.statusCode === 404)
      throw refuse(
        `a ${kind} that ${hubUrl} has, with a branch ${BRANCH}`,
        kind === "dataset" ? "fetch nyu-mll/glue --dataset" : "fetch FacebookAI/roberta-base",
      )
    if (error instanceof HubApiError && [401, 403].includes(error.statusCode))
      throw refuse(
        `a ${kind} that ${hubUrl} has and shows ${isKnown ? "to the owner of this token" : "without a token"}: this one is private, asks for consent on its page, or is not there`,
        isKnown ? `${hubUrl}/${kind === "dataset" ? "datasets/" : ""}${name}` : "hf auth login, or HF_TOKEN=hf_…",
      )
    const mayPass = !(error instanceof HubApiError) || error.statusCode === 429 || error.statusCode >= 500
    throw new HubFailure(`${hubUrl} cannot be asked for ${name}: ${reasonOf(error)}`, mayPass)
  }
}

/** What went wrong, with what lies behind it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error as { cause?: { code?: string; message?: string } }
  const behind = cause?.code ?? cause?.message
  return behind === undefined ? error.message : `${error.message} (${behind})`
}
