/** A hub on this machine that speaks the protocol of huggingface.co, with a server of its own for large files. */
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** A repository: its files by path; large ones are kept beside it, as LFS has them. */
export interface Hosted {
  readonly commit: string
  readonly files: Readonly<Record<string, Uint8Array>>
  readonly large: readonly string[]
  /** Open to this token alone. */
  readonly token?: string
}

/** What goes wrong with a file. */
export interface Fault {
  /** Bytes after which a connection breaks, one a connection; the ones that follow are whole. */
  readonly breaks?: number[]
  /** What is sent in place of it. */
  readonly sent?: Uint8Array
  /** Whether every request is answered with the whole file. */
  readonly ignoresRanges?: boolean
}

/** A hub that runs. */
export interface TestHub {
  readonly url: string
  /** By path. */
  readonly faults: Map<string, Fault>
  /** What was asked: "GET /api/…", and whether with a token. */
  readonly asked: { readonly line: string; readonly hasToken: boolean; readonly range: string | undefined }[]
  close(): Promise<void>
}

/** Entries of a page of the list of files. */
const PAGE = 3

/** @param hosted by "models/owner/name" or "datasets/owner/name". */
export async function startHub(hosted: Readonly<Record<string, Hosted>>): Promise<TestHub> {
  const faults: TestHub["faults"] = new Map()
  const asked: TestHub["asked"] = []
  const store = await listening((request, response) => {
    note(request)
    const [, name, path] = /^\/store\/([^/]+\/[^/]+\/[^/]+)\/(.*)$/.exec(request.url!)!
    send(request, response, decodeURIComponent(path!), hosted[name!]!.files[decodeURIComponent(path!)]!)
  })
  const hub = await listening((request, response) => {
    note(request)
    const url = new URL(request.url!, "http://hub")
    const found =
      /^\/api\/((?:models|datasets)\/[^/]+\/[^/]+)\/(revision|tree)\/([^/]+)$/.exec(url.pathname) ??
      /^\/((?:datasets\/)?[^/]+\/[^/]+)\/(resolve)\/([^/]+)\/(.+)$/.exec(url.pathname) ??
      /^\/near\/((?:models|datasets)\/[^/]+\/[^/]+)\/(near)\/([^/]+)\/(.+)$/.exec(url.pathname)
    if (found === null) return refuse(response, 404, "EntryNotFound", "no such page")
    const [, given, what, revision, path = ""] = found as unknown as [string, string, string, string, string?]
    const name = /^(models|datasets)\//.test(given) ? given : `models/${given}`
    const own = hosted[name]
    const isOpen = own !== undefined && (own.token === undefined || isToken(request, own.token))
    // Without a token the hub does not say whether a repository is there.
    if (!isOpen && own?.token !== undefined)
      return refuse(response, 401, "RepoNotFound", "Invalid username or password.")
    if (own === undefined) return refuse(response, 404, "RepoNotFound", "Repository not found")
    if (revision !== "main" && revision !== own.commit)
      return refuse(response, 404, "RevisionNotFound", `Invalid rev id: ${revision}`)
    if (what === "revision")
      return json(response, {
        _id: "1",
        id: name,
        sha: own.commit,
        private: false,
        downloads: 1,
        likes: 1,
        gated: false,
        lastModified: "2026-01-01T00:00:00.000Z",
        siblings: Object.keys(own.files).map((rfilename) => ({ rfilename })),
      })
    if (what === "tree") {
      const from = Number(url.searchParams.get("cursor") ?? 0)
      const entries = tree(own)
      const next = `http://${request.headers.host}${url.pathname}?recursive=true&cursor=${from + PAGE}`
      if (from + PAGE < entries.length) response.setHeader("Link", `<${next}>; rel="next"`)
      return json(response, entries.slice(from, from + PAGE))
    }
    const file = decodeURIComponent(path)
    const bytes = own.files[file]
    if (bytes === undefined) return refuse(response, 404, "EntryNotFound", "Entry not found")
    response.setHeader("X-Repo-Commit", own.commit)
    if (what === "near") return send(request, response, file, bytes)
    const isLarge = own.large.includes(file)
    response.setHeader("X-Linked-ETag", `"${digest(bytes, isLarge)}"`)
    response.setHeader("X-Linked-Size", bytes.length)
    if (isLarge && request.headers.accept?.includes("xet-fileinfo")) {
      const link = (rel: string) => `<http://${request.headers.host}/xet/${rel}>; rel="${rel}"`
      response.setHeader("X-Xet-Hash", "f".repeat(64))
      response.setHeader("Link", `${link("xet-auth")}, ${link("xet-reconstruction-info")}`)
      response.setHeader("ETag", `"${digest(bytes, true)}"`)
      response.setHeader("Content-Type", "application/vnd.xet-fileinfo+json")
      return response.end("{}")
    }
    // A large file lies on another server, another one elsewhere on this one.
    const place = isLarge ? `${store.url}/store/${name}/${path}` : `/near/${name}/near/${own.commit}/${path}`
    response.writeHead(isLarge ? 302 : 307, { Location: place }).end()
  })
  const note = ({ method, url, headers: { authorization, range } }: IncomingMessage) => {
    asked.push({ line: `${method} ${url}`, hasToken: authorization !== undefined, range })
  }
  const send = (request: IncomingMessage, response: ServerResponse, path: string, whole: Uint8Array) => {
    const { breaks, sent = whole, ignoresRanges } = faults.get(path) ?? {}
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "")
    response.setHeader("ETag", `"${digest(whole, false)}"`)
    // What is probed is told rightly: what comes of it is not.
    const isProbe = range !== null && range[1] === "0" && range[2] === "0"
    const [from, to] =
      range === null || (ignoresRanges && !isProbe) ? [0, sent.length] : [Number(range[1]), Number(range[2]) + 1]
    const part = sent.subarray(from, Math.max(from, to))
    if (range !== null && (!ignoresRanges || isProbe)) {
      response.setHeader("Content-Range", `bytes ${from}-${to - 1}/${whole.length}`)
      response.statusCode = 206
    }
    const least = isProbe ? undefined : breaks?.shift()
    response.setHeader("Content-Length", part.length)
    if (least === undefined) return response.end(part)
    response.write(part.subarray(0, least), () => response.destroy())
  }
  return { url: hub.url, faults, asked, close: async () => void (await Promise.all([hub.close(), store.close()])) }
}

/** Git's digest of a file, or SHA-256 of a large one. */
export function digest(bytes: Uint8Array, isLarge: boolean): string {
  if (isLarge) return createHash("sha256").update(bytes).digest("hex")
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex")
}

function tree({ files, large }: Hosted): object[] {
  const folders = new Set(Object.keys(files).flatMap((path) => (path.includes("/") ? [path.split("/")[0]!] : [])))
  return [
    ...[...folders].map((path) => ({ type: "directory", oid: "0".repeat(40), size: 0, path })),
    ...Object.entries(files).map(([path, bytes]) => {
      const pointer = new TextEncoder().encode(`version …\noid sha256:${digest(bytes, true)}\nsize ${bytes.length}\n`)
      const lfs = { oid: digest(bytes, true), size: bytes.length, pointerSize: pointer.length }
      const isLarge = large.includes(path)
      const own = { type: "file", oid: digest(isLarge ? pointer : bytes, false), size: bytes.length, path }
      return isLarge ? { ...own, lfs, xetHash: "f".repeat(64) } : own
    }),
  ]
}

function isToken({ headers: { authorization } }: IncomingMessage, token: string): boolean {
  return authorization === `Bearer ${token}`
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader("Content-Type", "application/json; charset=utf-8")
  response.end(JSON.stringify(value))
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.statusCode = status
  response.setHeader("X-Error-Code", code)
  json(response, { error: message })
}

async function listening(listener: RequestListener): Promise<{ url: string; close: () => Promise<void> }> {
  const server: Server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
