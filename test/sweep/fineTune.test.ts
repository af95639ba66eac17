import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { plan } from "../../src/sweep/plan.js"
import { readConfig } from "../../src/sweep/readConfig.js"
import type { FineTuningTask } from "../../src/train/task.js"
import { SMALL_SWEEP, writeFamily } from "../train/tuning/texts.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "finetune-"))
  await writeFamily(folder, [16, 32])
})
afterAll(() => rm(folder, { recursive: true }))

const planned = async (change: object, place = folder) => {
  await writeFile(join(place, "sweep.json"), JSON.stringify({ ...SMALL_SWEEP, ...change }))
  return plan(await readConfig(join(place, "sweep.json"))).first
}
const idsOf = async (change: object, place = folder) => (await planned(change, place)).map(({ id }) => id)
const configs = async (change: object) => (await planned(change)).map(({ task }) => (task as FineTuningTask).config)

describe("identities of fine-tunings", () => {
  test("are of what models and texts hold, not of where they lie", async () => {
    const before = await idsOf({})
    expect(new Set(before).size).toBe(2 * 3 * 2 * 4)
    const other = await mkdtemp(join(tmpdir(), "moved-"))
    await cp(folder, other, { recursive: true })
    expect(await idsOf({}, other)).toEqual(before)
    expect(await idsOf({ checkpoints: ["llama-32", "llama-16"] }, other)).toEqual(before)
    await writeFile(join(other, "test.txt"), `${await readFile(join(other, "test.txt"), "utf8")} bad`)
    const changed = new Set(await idsOf({}, other))
    expect(before.filter((id) => changed.has(id))).toEqual([])
    await rm(other, { recursive: true })
  })

  test.each([
    { rank: 4 },
    { alpha: 4 },
    { rankStabilised: true },
    { sites: ["q_proj"] },
    { layers: [1] },
    { layers: [0, 1] },
    { steps: 7 },
    { length: 12 },
    { batch: 3 },
    { accumulate: 2 },
    { warmup: 2 },
    { decay: "none" },
    { weightDecay: 0.1 },
    { clip: 1 },
    { beta2: 0.99 },
    { epsilon: 1e-6 },
    { record: [1] },
    { seeds: [7, 8] },
    { task: { ...SMALL_SWEEP.task, stride: 16 } },
  ])("whatever changes the result changes them: %j", async (change) => {
    const other = new Set(await idsOf(change))
    for (const id of await idsOf({})) expect(other.has(id)).toBe(false)
  })
})

test("blocks are told in any order, each once", async () => {
  expect(await idsOf({ layers: [1, 0, 1] })).toEqual(await idsOf({ layers: [0, 1] }))
})

describe("a scheme on a pretrained model", () => {
  test("gives starts and rates by its own exponents: LoRA+ at (-1, 0) has B's rate n times that of A", async () => {
    const all = await configs({ rates: [0.01], seeds: 1 })
    const of = (width: number) => all.filter((config) => config.width === width)
    for (const width of [16, 32]) {
      const [a, b, plus] = of(width)
      const kaiming = { A: { constant: 1, power: -0.5 }, B: { constant: 0, power: 0 } }
      expect([a!.start, a!.rates]).toEqual([kaiming, { A: 0.01, B: 0.01 }])
      // Entries N(0, 1/r) at the catalogue's rank of 4.
      expect(b!.start).toEqual({ A: { constant: 0, power: 0 }, B: { constant: 4 ** -0.5, power: 0 } })
      expect([plus!.start, plus!.rates]).toEqual([kaiming, { A: 0.01, B: 0.01 * width }])
    }
  })

  test("freezes what the scheme freezes, and brings its own epsilon, decay and clipping", async () => {
    const one = async (scheme: unknown) => (await configs({ schemes: [scheme], rates: [0.01], seeds: 1 })).at(-1)!
    expect((await one("lora-fa")).rates).toEqual({ A: 0, B: 0.01 })
    expect((await one("mica")).rates).toEqual({ A: 0.01, B: 0 })
    expect((await one("weight-decay")).weightDecay).toBe(0.1)
    expect((await one("clip-init-a")).clip).toBe(1)
    expect((await one({ scheme: "adam-epsilon", set: { e: "-1/2" } })).epsilon).toBe(0.25)
    expect((await one("init-a")).clip).toBeNull()
  })

  test.each([
    ["sgd-init-a", "updated by sgd"],
    ["squared-init-a", "a squared loss of its own"],
    ["stable-lora", "shrinks A"],
    ["peft-pissa", "takes its start out of the frozen weights"],
    ["peft-eva", "computed from weights or data"],
    ["rslora", "which are rank, alpha and rankStabilised here"],
    ["embedding", "a model of its own"],
    ["dora", "adapter is dora"],
    ["llama-block/init-a", "a model of its own"],
  ])("%s does not fit, and is refused by its name", async (scheme, reason) => {
    await expect(planned({ schemes: ["init-a", scheme] })).rejects.toThrow(
      new RegExp(`/sweep\\.json:1: schemes\\[1\\]: got "${scheme}"; .*${reason}`),
    )
  })
})

test("epochs become steps by the sequences that the task has with the model's tokenizer", async () => {
  const steps = async (change: object) => (await configs({ steps: undefined, record: [], ...change }))[0]!.steps
  const one = await steps({ epochs: 1 })
  // 200 sentences of four or nine tokens: about 1,300, 81 blocks of 16, two in a batch.
  expect(one).toBeGreaterThan(35)
  expect(one).toBeLessThan(47)
  expect(await steps({ epochs: 2, accumulate: 2 })).toBe(one)
})

test.each([
  [{ checkpoints: ["llama-64"] }, /checkpoints\[0\]: got "llama-64"; allowed: a path that exists/],
  [{ checkpoints: ["llama-16", "llama-16"] }, /checkpoints\[1\]: got "llama-16"; .*checkpoints\[0\]/],
  [{ sites: ["query"] }, /sites: got "query"; allowed: layers of a llama: q_proj, k_proj, v_proj, o_proj, gate_proj/],
  [{ epochs: 1 }, /steps: got 6/],
  [{ record: [7] }, /record: got 7; allowed: steps up to the last, 6/],
  [{ warmup: 6 }, /warmup: got 6; allowed: fewer than the 6 steps/],
  [{ task: { kind: "txt" } }, /task\.kind: got "txt", did you mean text\?/],
  [{ task: { kind: "text", train: ["train.txt"], test: ["gone.txt"] } }, /task\.test\[0\]: got/],
  [{ engine: "jax" }, /engine: got "jax"/],
  [{ layers: [] }, /layers: got \[\]; allowed: the blocks .* integers ≥ 0/],
  [{ layers: [0, 2] }, /layers: got "0, 2"; allowed: blocks of a llama of 2: numbers from 0 to 1, one at least/],
  [{ steps: undefined, record: [], epochs: 1, length: 4000 }, /checkpoints\[0\]: texts: got "no sequence"/],
])("refused with its field: %j", async (change, message) => {
  await expect(planned(change)).rejects.toThrow(new RegExp(`/sweep\\.json:1: ${message.source}`))
})

test("a field that is not there has no line; one that a plan refuses has its own", async () => {
  await expect(planned({ steps: undefined })).rejects.toThrow(/\/sweep\.json: steps: got "nothing"/)
  const lines = Object.entries({ ...SMALL_SWEEP, record: [7] }).map(
    ([name, value]) => `${name}: ${JSON.stringify(value)}`,
  )
  const file = join(folder, "sweep.yaml")
  await writeFile(file, `# a sweep\n${lines.join("\n")}\n`)
  const place = lines.findIndex((line) => line.startsWith("record")) + 2
  const config = await readConfig(file)
  expect(() => plan(config)).toThrow(`${file}:${place}: record: got 7`)
})
