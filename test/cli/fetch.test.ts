import { once } from "node:events"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import { afterAll, beforeAll, expect, test } from "vitest"
import { startHub, type TestHub } from "../checkpoint/hub/server.js"
import { loraIn, startLoraIn } from "./lora.js"

let folder: string
let hub: TestHub
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fetch-"))
  const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251)
  const files = { "config.json": bytes(5), "model.safetensors": bytes(3_000_000), "tokenizer.json": bytes(7) }
  hub = await startHub({ "models/owner/model": { commit: "b".repeat(40), files, large: ["model.safetensors"] } })
})
afterAll(async () => {
  await hub.close()
  await rm(folder, { recursive: true })
})
const envOf = (home: string) => ({ HF_HOME: join(folder, home), HF_ENDPOINT: hub.url })
const left = (home: string) => readdir(join(folder, home), { recursive: true }).catch(() => [])

test("says what came and where it is", async () => {
  const run = await loraIn({ folder, env: envOf("whole") }, "fetch", "owner/model")
  const snapshot = join(folder, "whole/hub/models--owner--model/snapshots", "b".repeat(40))
  expect(run).toEqual({
    code: 0,
    out: `owner/model: 3 files at bbbbbbb, 3 of them fetched (3.00 MB)\n${snapshot}\n`,
    err: "owner/model: 3 files to fetch, 3.00 MB\n",
  })
  expect((await readFile(join(snapshot, "model.safetensors"))).length).toBe(3_000_000)
})

test.each([
  [["owner/gone"], {}, /^error: name: got "owner\/gone"; allowed: a model that http/],
  [["a/b/c"], {}, /^error: name: got "a\/b\/c"; allowed: an owner and a name/],
  [
    ["owner/model", "--files", "*.gguf"],
    {},
    /^error: --files: got "\*\.gguf"; .*: it has config\.json, model\.safetensors/,
  ],
  [
    ["owner/model"],
    { HF_ENDPOINT: "http://127.0.0.1:9" },
    /^error: http:\/\/127\.0\.0\.1:9 cannot be asked for owner\/model: /,
  ],
] as const)("what cannot be fetched ends with a line and 2: %j", async (words, env, message) => {
  const run = await loraIn({ folder, env: { ...envOf("refused"), ...env } }, "fetch", ...words)
  expect([run.code, run.out]).toEqual([2, ""])
  expect(run.err).toMatch(message)
  expect(run.err.trim().split("\n")).toHaveLength(1)
  expect(await left("refused")).toEqual([])
})

test("Ctrl-C leaves files that came as a whole, and no snapshot", async () => {
  // Each connection brings a little and breaks, so that it takes long.
  hub.faults.set("model.safetensors", { breaks: new Array(100).fill(1000) })
  const child = startLoraIn({ folder, env: envOf("ended") }, "fetch", "owner/model")
  const ended = once(child, "exit")
  while (!(await left("ended")).some((path) => path.endsWith(".incomplete"))) await wait(20)
  child.kill("SIGINT")
  expect(await ended).toEqual([130, null])
  hub.faults.clear()
  const names = await left("ended")
  expect(names.filter((path) => /incomplete|snapshots|refs|[0-9a-f]{64}/.test(path))).toEqual([])
  expect((await loraIn({ folder, env: envOf("ended") }, "fetch", "owner/model")).code).toBe(0)
})
