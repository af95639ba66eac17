import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { afterAll, beforeAll, expect, test } from "vitest"
import { served } from "../web/explorer.js"
import { lora } from "./lora.js"

let server: { url: string; process: ChildProcess }
beforeAll(async () => {
  server = await served()
})
afterAll(async () => {
  server.process.kill("SIGINT")
  const [code] = await once(server.process, "exit")
  expect(code).toBe(0)
})

/** The answer to a path as it is: fetch would resolve its dots. */
function answer(path: string, method = "GET"): Promise<{ status: number; type: string }> {
  const { hostname, port } = new URL(server.url)
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method }, (response) => {
      response.resume()
      resolve({ status: response.statusCode!, type: response.headers["content-type"]! })
    })
      .on("error", reject)
      .end()
  })
}

test.each([
  ["/", 200, "text/html; charset=utf-8"],
  ["/index.html#scheme=init-a", 200, "text/html; charset=utf-8"],
  ["/page.js?again", 200, "text/javascript; charset=utf-8"],
  ["/style.css", 200, "text/css; charset=utf-8"],
  ["/../../package.json", 404, "text/plain"],
  ["/..%2f..%2fpackage.json", 404, "text/plain"],
  ["/%2e%2e/command/main.js", 404, "text/plain"],
  ["//etc/passwd", 404, "text/plain"],
  ["/nothing", 404, "text/plain"],
])("GET %s is answered by %i", async (path, status, type) => {
  expect(await answer(path)).toEqual({ status, type })
})

test("what is not GET or HEAD is refused", async () => {
  expect((await answer("/", "HEAD")).status).toBe(200)
  expect((await answer("/", "POST")).status).toBe(405)
})

test.each([
  ["taken", () => new URL(server.url).port, "a port that is free (EADDRINUSE)"],
  ["no port", () => "65536", "0 to 65535"],
  ["no number", () => "http", "an integer ≥ 0"],
])("a port that is %s ends with 2 and its reason", async (_, port, says) => {
  const { code, err } = await lora(tmpdir(), "explore", "--port", port())
  expect(code).toBe(2)
  expect(err).toContain("--port")
  expect(err).toContain(says)
})
