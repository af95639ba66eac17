import { once } from "node:events"
import { readdir, readFile } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { InputError } from "../inputError.js"
import { integer } from "../optionText.js"
import { packageFile } from "../packageFile.js"
import { interruption } from "./interruption.js"

/** Options of `explore` as typed. */
export interface ExploreOptions {
  readonly port: string
}

/** Where the build leaves the explorer. */
const FOLDER = new URL("dist/web/", packageFile())

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  wasm: "application/wasm",
}

/** Serves the explorer on this machine alone, until it is interrupted. */
export async function exploreCommand({ port }: ExploreOptions): Promise<number> {
  const server = await exploreServer(portOf(port))
  const { port: used } = server.address() as AddressInfo
  process.stdout.write(`the explorer: http://localhost:${used}/ (Ctrl-C ends it)\n`)
  if (!interruption.signal.aborted) await once(interruption.signal, "abort")
  server.closeAllConnections()
  server.close()
  return 0
}

function portOf(text: string): number {
  const port = integer("--port", text, 0)
  if (port <= 65535) return port
  throw new InputError({ field: "--port", given: text, allowed: "a port: 0 to 65535", example: "--port 8080" })
}

/**
 * A server of the explorer's files and of nothing else: what may be asked for is listed beforehand.
 *
 * @param port 0 takes one that is free. @throws InputError for one that is taken, or not allowed.
 */
async function exploreServer(port: number): Promise<Server> {
  const names = (await readdir(FOLDER)).filter((name) => TYPES[ending(name)] !== undefined)
  const files = new Map<string, Buffer>(
    await Promise.all(names.map(async (name) => [`/${name}`, await readFile(new URL(name, FOLDER))] as const)),
  )
  const server = createServer(({ method, url = "/" }, response) => {
    const path = url.replace(/[?#].*$/, "")
    const name = path === "/" ? "/index.html" : path
    const content = files.get(name)
    const isAsked = method === "GET" || method === "HEAD"
    if (!isAsked || content === undefined) {
      response
        .writeHead(isAsked ? 404 : 405, { "content-type": "text/plain" })
        .end(isAsked ? "not found\n" : "GET only\n")
      return
    }
    response.writeHead(200, {
      "content-type": TYPES[ending(name)]!,
      "content-length": content.length,
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
      // Memory that threads share, which the kernel's has to be, is for pages by themselves.
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    })
    response.end(method === "HEAD" ? undefined : content)
  })
  server.listen(port, "localhost")
  await once(server, "listening").catch((error: NodeJS.ErrnoException) => {
    throw new InputError({
      field: "--port",
      given: port,
      allowed: `a port that is free (${error.code})`,
      example: "--port 0, which takes one that is",
    })
  })
  return server
}

function ending(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1)
}
