import { lstat, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { pathOrHub } from "../../../src/checkpoint/hub/cache.js"
import { HubFailure } from "../../../src/checkpoint/hub/failure.js"
import { fetchRepository } from "../../../src/checkpoint/hub/fetch.js"
import { readPretrainedConfig } from "../../../src/checkpoint/pretrained.js"
import { readTokenizer } from "../../../src/checkpoint/tokenizer.js"
import { gaussians } from "../../../src/train/random.js"
import { writeFamily } from "../../train/tuning/texts.js"
import { digest, type Hosted, startHub, type TestHub } from "./server.js"

const COMMIT = "0123456789abcdef0123456789abcdef01234567"
const TOKEN = "hf_abcdefghijklmnop"
const NAME = "owner/llama-16"

let place: string
let hosted: Hosted
let hub: TestHub
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "hub-"))
  await writeFamily(place, [16])
  const model = join(place, "llama-16")
  const files: Record<string, Uint8Array> = {}
  for (const name of await readdir(model)) files[name] = await readFile(join(model, name))
  const text = (of: string) => new TextEncoder().encode(of)
  // As large as several pieces of a stream.
  const large = new Uint8Array(Float32Array.from(gaussians(1, "weights", 100_000)).buffer)
  const others = {
    "pytorch_model.bin": large,
    "README.md": text("a model"),
    "onnx/model.onnx": large,
    "empty.json": text(""),
  }
  hosted = {
    commit: COMMIT,
    files: { ...files, ...others },
    large: ["model.safetensors", "pytorch_model.bin", "onnx/model.onnx"],
  }
  const glue = {
    "README.md": text("data"),
    "mrpc/train.jsonl": text('{"a": 1}\n'),
    "cola/train.jsonl": text('{"b": 2}\n'),
    "glue.py": text("import os"),
  }
  hub = await startHub({
    [`models/${NAME}`]: hosted,
    "models/owner/private": { ...hosted, token: TOKEN },
    "models/owner/pickled": { commit: COMMIT, files: others, large: [] },
    "models/owner/outside": { commit: COMMIT, files: { "../../x.json": text("{}") }, large: [] },
    "datasets/owner/glue": { commit: COMMIT, files: glue, large: ["mrpc/train.jsonl"] },
  })
})
afterAll(async () => {
  await hub.close()
  await rm(place, { recursive: true })
})

const before = { ...process.env }
let cache: string
beforeEach(async () => {
  const home = await mkdtemp(join(place, "home-"))
  Object.assign(process.env, { HF_HOME: home, HF_ENDPOINT: hub.url })
  for (const name of ["HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE"])
    delete process.env[name]
  cache = join(home, "hub")
  hub.faults.clear()
  hub.asked.length = 0
})
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
  Object.assign(process.env, before)
})

/** Every path below a folder that is no folder itself. */
const below = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
const OF_MODEL = ["config.json", "empty.json", "model.safetensors", "tokenizer.json"]
const quick = { pause: 1 }

describe("a model", () => {
  test("is fetched with what it is read from, in the layout of the hub's cache, and found there by its name", async () => {
    const { folder, fetched, files } = await fetchRepository("model", NAME)
    expect(files.map(({ path }) => path).sort()).toEqual(OF_MODEL)
    expect(fetched).toHaveLength(OF_MODEL.length)
    const own = join(cache, "models--owner--llama-16")
    expect(folder).toBe(join(own, "snapshots", COMMIT))
    expect(await readFile(join(own, "refs/main"), "utf8")).toBe(COMMIT)
    const blobs = OF_MODEL.map((path) => digest(hosted.files[path]!, hosted.large.includes(path)))
    expect(await below(own)).toEqual(
      [
        ...blobs.map((name) => `blobs/${name}`),
        "refs/main",
        ...OF_MODEL.map((path) => `snapshots/${COMMIT}/${path}`),
      ].sort(),
    )
    for (const [i, path] of OF_MODEL.entries()) {
      expect(await readlink(join(folder, path))).toBe(join("../../blobs", blobs[i]!))
      expect((await readFile(join(folder, path))).equals(hosted.files[path]!)).toBe(true)
    }
    expect(await pathOrHub("model", NAME, join(place, "gone"), "checkpoints[0]")).toBe(folder)
    expect((await readPretrainedConfig(folder)).shape.hidden).toBe(16)
    const encoded = async (model: string) => (await readTokenizer(model)).encode("a good film")
    expect(await encoded(folder)).toEqual(await encoded(join(place, "llama-16")))
  })

  test("is not fetched again; what is missing is", async () => {
    const { folder } = await fetchRepository("model", NAME)
    hub.asked.length = 0
    const again = await fetchRepository("model", NAME)
    expect([again.folder, again.fetched]).toEqual([folder, []])
    expect(hub.asked.filter(({ line }) => line.includes("resolve"))).toEqual([])
    await rm(join(folder, "config.json"))
    expect((await fetchRepository("model", NAME)).fetched).toEqual([])
    await rm(join(cache, "models--owner--llama-16/blobs", digest(hosted.files["config.json"]!, false)))
    expect((await fetchRepository("model", NAME)).fetched.map(({ path }) => path)).toEqual(["config.json"])
    expect((await lstat(join(folder, "config.json"))).isSymbolicLink()).toBe(true)
    expect((await readPretrainedConfig(folder)).shape.hidden).toBe(16)
  })

  test("pickles come by their full names alone", async () => {
    const all = await fetchRepository("model", NAME, { files: ["*"] })
    expect(all.files.map(({ path }) => path).sort()).toEqual([...OF_MODEL, "README.md", "onnx/model.onnx"].sort())
    const { folder } = await fetchRepository("model", NAME, { files: ["pytorch_model.bin"] })
    expect((await readFile(join(folder, "pytorch_model.bin"))).equals(hosted.files["pytorch_model.bin"]!)).toBe(true)
    await expect(fetchRepository("model", NAME, { files: ["*.bin"] })).rejects.toThrow(
      /^--files: got "\*\.bin"; .*by their full names alone.*pytorch_model\.bin/,
    )
    await expect(fetchRepository("model", "owner/pickled")).rejects.toThrow(
      /^name: got "owner\/pickled"; .*safetensors/,
    )
  })

  test("of a token goes to the hub alone", async () => {
    process.env.HF_TOKEN = TOKEN
    await fetchRepository("model", "owner/private")
    const ofStore = hub.asked.filter(({ line }) => line.startsWith("GET /store/"))
    expect(ofStore.length).toBeGreaterThan(0)
    expect(hub.asked.filter(({ hasToken }) => !hasToken)).toEqual(ofStore)
    delete process.env.HF_TOKEN
    await writeFile(join(process.env.HF_HOME!, "token"), `${TOKEN}\n`)
    expect((await fetchRepository("model", "owner/private")).fetched).toEqual([])
  })
})

test("a data set is fetched with its tables, or with those that are named", async () => {
  const { folder } = await fetchRepository("dataset", "owner/glue", { files: ["mrpc/*"] })
  expect(await below(folder)).toEqual(["mrpc/train.jsonl"])
  expect(await readFile(join(folder, "mrpc/train.jsonl"), "utf8")).toBe('{"a": 1}\n')
  expect(await readlink(join(folder, "mrpc/train.jsonl"))).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/)
  await fetchRepository("dataset", "owner/glue")
  expect(await below(folder)).toEqual(["cola/train.jsonl", "mrpc/train.jsonl"])
  expect(await pathOrHub("dataset", "owner/glue", join(place, "gone"), "task.data")).toBe(folder)
})

describe("a connection that breaks", () => {
  test("is gone on with where it broke", async () => {
    hub.faults.set("pytorch_model.bin", { breaks: [150_000, 0, 100_000] })
    const { folder } = await fetchRepository("model", NAME, { ...quick, files: ["pytorch_model.bin"] })
    expect((await readFile(join(folder, "pytorch_model.bin"))).equals(hosted.files["pytorch_model.bin"]!)).toBe(true)
    const ranges = hub.asked.filter(({ line, range }) => line.startsWith("GET /store/") && range !== "bytes=0-0")
    const froms = ranges.map(({ range }) => Number(/^bytes=(\d+)-/.exec(range ?? "bytes=0-")![1]))
    expect(froms).toHaveLength(4)
    expect(froms[0]).toBe(0)
    expect(froms[1]).toBeGreaterThan(0)
    expect(froms[1]).toBe(froms[2])
    expect(froms[3]).toBeGreaterThan(froms[2]!)
  })

  test("is begun anew where the server does not go on", async () => {
    hub.faults.set("pytorch_model.bin", { breaks: [150_000], ignoresRanges: true })
    const { folder } = await fetchRepository("model", NAME, { ...quick, files: ["pytorch_model.bin"] })
    expect((await readFile(join(folder, "pytorch_model.bin"))).equals(hosted.files["pytorch_model.bin"]!)).toBe(true)
  })

  test("again and again leaves nothing of the file, and no snapshot", async () => {
    hub.faults.set("model.safetensors", { breaks: new Array(20).fill(1000) })
    const failed = fetchRepository("model", NAME, quick)
    await expect(failed).rejects.toThrow(
      /^model\.safetensors did not come as a whole in 5 tries, \d+ of \d+ bytes of it/,
    )
    await expect(failed).rejects.toBeInstanceOf(HubFailure)
    const left = await below(cache)
    expect(left.filter((path) => !/\/blobs\/[0-9a-f]{40}$/.test(path))).toEqual([])
    await expect(pathOrHub("model", NAME, "gone", "checkpoints[0]")).rejects.toThrow(
      /lora-scaling fetch owner\/llama-16/,
    )
    hub.faults.clear()
    await fetchRepository("model", NAME)
    expect(await pathOrHub("model", NAME, "gone", "checkpoints[0]")).toContain(COMMIT)
  })

  test("an interruption too", async () => {
    const controller = new AbortController()
    const failed = fetchRepository("model", NAME, {
      files: ["pytorch_model.bin"],
      signal: controller.signal,
      advance: () => controller.abort(new Error("interrupted")),
    })
    await expect(failed).rejects.toThrow("interrupted")
    expect(await below(cache)).toEqual([])
  })
})

describe("what is not what the hub lists", () => {
  const changed = (by: (bytes: Uint8Array) => Uint8Array) => {
    const own = Uint8Array.from(hosted.files["model.safetensors"]!)
    return by(own)
  }
  test.each([
    ["other bytes", (own: Uint8Array) => own.map((x, i) => (i === own.length - 1 ? x ^ 1 : x))],
    ["more bytes", (own: Uint8Array) => Uint8Array.from([...own, 0])],
  ])("%s are refused and not kept", async (what, by) => {
    hub.faults.set("model.safetensors", { sent: changed(by) })
    await expect(fetchRepository("model", NAME, quick)).rejects.toThrow(
      new RegExp(`^model\\.safetensors has ${what} than the hub lists \\(\\d+, sha256 [0-9a-f]{64}\\)`),
    )
    expect((await below(cache)).filter((path) => /[0-9a-f]{64}|snapshots|refs/.test(path))).toEqual([])
  })

  test("a small file with other bytes, by git's digest", async () => {
    hub.faults.set("config.json", { sent: hosted.files["config.json"]!.map((x) => (x === 0x31 ? 0x32 : x)) })
    await expect(fetchRepository("model", NAME, quick)).rejects.toThrow(
      /^config\.json has other bytes .*git [0-9a-f]{40}/,
    )
  })

  test("a path out of the cache", async () => {
    await expect(fetchRepository("model", "owner/outside", { files: ["*"] })).rejects.toThrow(
      /cannot be kept: .*x\.json/,
    )
    expect(await below(cache)).toEqual([])
  })
})

describe("no answer is said in words", () => {
  test.each([
    ["owner/gone", {}, /^name: got "owner\/gone"; allowed: a model that http:.* has, with a branch main/],
    ["owner/private", {}, /^name: got "owner\/private"; .*without a token: .*private.*for example hf auth login/],
    ["owner/private", { HF_TOKEN: "hf_another" }, /^name: got "owner\/private"; .*to the owner of this token/],
    [NAME, { HF_TOKEN: "abc" }, /^HF_TOKEN: got "3 characters"; .*begins with hf_/],
    [NAME, { HF_ENDPOINT: "hub.example" }, /^HF_ENDPOINT: got "hub\.example"; allowed: the address/],
    [NAME, { HF_HUB_OFFLINE: "1" }, /^HF_HUB_OFFLINE: got "1"/],
    [
      NAME,
      { HF_ENDPOINT: "http://127.0.0.1:9" },
      /^http:\/\/127\.0\.0\.1:9 cannot be asked for owner\/llama-16: fetch failed \(.+\)/,
    ],
  ])("%s %j", async (name, env, message) => {
    Object.assign(process.env, env)
    await expect(fetchRepository("model", name)).rejects.toThrow(message)
    expect(await below(cache)).toEqual([])
  })
})
