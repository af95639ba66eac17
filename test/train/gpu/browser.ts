import { spawn } from "node:child_process"
import { createReadStream, existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join, normalize } from "node:path"
import { fileURLToPath } from "node:url"

/** A job for the page: the batch of a network or a program's steps, numbers as arrays. */
export type BrowserJob =
  | { readonly kind: "adapter" }
  | {
      readonly kind: "network"
      readonly size: object
      readonly activations: string
      readonly data: readonly object[]
      readonly runs: readonly object[]
    }
  | { readonly kind: "program"; readonly job: object }
  /** An ONNX graph, run once by onnxruntime-web: its outputs by name. */
  | { readonly kind: "graph"; readonly provider: "wasm" | "webgpu"; readonly model: Uint8Array; readonly feeds: object }
  /** A page of the project that says in its body's dataset when it is done: its text. */
  | { readonly kind: "page"; readonly path: string }

/** A headless browser whose page does jobs through `navigator.gpu`, by the built modules that Node uses too. */
export interface Browser {
  do(job: BrowserJob): Promise<unknown>
  close(): Promise<void>
}

const root = fileURLToPath(new URL("../../../", import.meta.url))

/** Where Debian's headless Chromium is, or null. */
export function chromium(): string | null {
  const names = ["chromium-headless-shell", "chromium"]
  const places = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)))
  return places.find((place) => existsSync(place)) ?? null
}

/** Without this flag Chromium offers its software adapter (SwiftShader) to nobody: `requestAdapter` gives null. */
export const OFFER_SOFTWARE = "--enable-unsafe-webgpu"

/** Starts the browser on a page of its own. */
export async function startBrowser(program: string, ...flags: readonly string[]): Promise<Browser> {
  const waiting: { job: string; done: (result: unknown) => void; failed: (error: Error) => void }[] = []
  let asked: ((job: string) => void) | null = null
  /** A file that the page asked for in vain: without it the page does no job. */
  let broken: Error | null = null
  const next = () => {
    if (broken !== null) for (const { failed } of waiting.splice(0)) failed(broken)
    if (asked === null || waiting.length === 0) return
    asked(waiting[0]!.job)
    asked = null
  }
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url!, "http://localhost").pathname)
    if (path === "/next") {
      asked = (job) => response.end(job)
      next()
    } else if (path === "/done") {
      const { result, error } = JSON.parse(await bodyOf(request), revive) as { result?: unknown; error?: string }
      const { done, failed } = waiting.shift()!
      if (error === undefined) done(result)
      else failed(new Error(error))
      response.end()
      next()
    } else if (/^\/(dist|bench|node_modules\/onnxruntime-web\/dist)\//.test(path)) {
      response.setHeader("content-type", TYPES[path.split(".").at(-1)!] ?? "text/html")
      createReadStream(join(root, path))
        .on("error", (error) => {
          broken = error
          next()
          response.writeHead(404).end()
        })
        .pipe(response)
    } else {
      response.setHeader("content-type", "text/html")
      response.end(PAGE)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const profile = await mkdtemp(join(tmpdir(), "browser-"))
  const child = spawn(
    program,
    [
      "--headless",
      "--no-sandbox",
      `--user-data-dir=${profile}`,
      ...flags,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ],
    // Debian's launcher is a script: only the whole group ends with the browser in it.
    { stdio: "ignore", detached: true },
  )
  return {
    do: (job) =>
      new Promise((done, failed) => {
        waiting.push({ job: JSON.stringify(job, tagged), done, failed })
        next()
      }),
    close: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve))
      process.kill(-child.pid!, "SIGKILL")
      await ended
      server.closeAllConnections()
      server.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

/** Arrays of numbers travel as their bytes. */
function tagged(_: string, value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value
  const { buffer, byteOffset, byteLength } = value
  return {
    type: value.constructor.name,
    bytes: Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString("base64"),
  }
}

function revive(_: string, value: unknown): unknown {
  const { type, bytes } = (value ?? {}) as { type?: string; bytes?: string }
  if (bytes === undefined) return value
  const { buffer } = new Uint8Array(Buffer.from(bytes, "base64"))
  return type === "Float64Array" ? new Float64Array(buffer) : type === "Float32Array" ? new Float32Array(buffer) : value
}

const PAGE = `<!doctype html><script type="module">
import { openGpu } from "/dist/src/train/gpu/device.js"
import { trainBatch } from "/dist/src/train/gpu/teacherStudentBatch.js"
import { runJob } from "/dist/src/train/gpu/programJob.js"
const types = { Float32Array, Float64Array, Uint32Array, Uint8Array }
const revive = (_, value) => value?.bytes === undefined ? value
  : new types[value.type](Uint8Array.from(atob(value.bytes), (c) => c.charCodeAt(0)).buffer)
const base64 = (array) => { let text = ""; for (const byte of new Uint8Array(array.buffer, array.byteOffset, array.byteLength)) text += String.fromCharCode(byte); return btoa(text) }
const tagged = (_, value) => value instanceof Float32Array || value instanceof Float64Array
  ? { type: value.constructor.name, bytes: base64(value) } : value
let gpu
const done = {
  adapter: async () => { gpu ??= await openGpu(); return gpu.name },
  network: async ({ size, data, runs, activations }) => {
    const sets = data.map(({ rows, y }) => ({ y, draw: (sink) => rows.forEach(({ name, first, numbers }) => sink(name, first, numbers)) }))
    return trainBatch(gpu, size, sets, runs.map(({ wOut, ...run }) => ({ ...run, readout: () => wOut })), activations)
  },
  program: async ({ job }) => runJob(gpu, job),
  graph: async ({ provider, model, feeds }) => {
    const ort = await import("/node_modules/onnxruntime-web/dist/ort." + provider + ".min.mjs")
    ort.env.wasm.numThreads = 1
    ort.env.wasm.wasmPaths = "/node_modules/onnxruntime-web/dist/"
    const session = await ort.InferenceSession.create(model, { executionProviders: [provider] })
    const tensors = Object.entries(feeds).map(([name, { data, dims }]) => [name, new ort.Tensor("float32", data, dims)])
    const found = await session.run(Object.fromEntries(tensors))
    await session.release()
    return Object.fromEntries(Object.entries(found).map(([name, { data, dims }]) => [name, { data, dims }]))
  },
  page: async ({ path }) => {
    const frame = document.createElement("iframe")
    frame.src = path
    document.body.append(frame)
    while (frame.contentDocument?.body?.dataset.done === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
    return frame.contentDocument.getElementById("out").textContent
  },
}
for (;;) {
  const job = JSON.parse(await (await fetch("/next")).text(), revive)
  const answer = {}
  try { answer.result = await done[job.kind](job) } catch (error) { answer.error = String(error) }
  await fetch("/done", { method: "POST", body: JSON.stringify(answer, tagged) })
}
</script>`
