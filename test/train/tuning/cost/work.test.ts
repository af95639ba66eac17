import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parse } from "yaml"
import { configOf } from "../../../../src/checkpoint/pretrainedConfig.js"
import type { Batch } from "../../../../src/train/tuning/batch.js"
import { type ModelSizes, stepWork, vocabularyOf } from "../../../../src/train/tuning/cost/work.js"
import { graphTuning } from "../../../../src/train/tuning/graph.js"
import { drawStart, trainedOf } from "../../../../src/train/tuning/trained.js"
import { writeRandomModel } from "../../../checkpoint/randomModel.js"
import { pythonWithTorch } from "../../../python/venv.js"
import { engineForTests } from "../../graph/engine.js"

const LLAMA = {
  model_type: "llama",
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 176,
  vocab_size: 300,
  max_position_embeddings: 64,
  tie_word_embeddings: false,
}
const ROBERTA = {
  model_type: "roberta",
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 160,
  vocab_size: 300,
  max_position_embeddings: 66,
  type_vocab_size: 1,
}
const EVERY = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
const sizesOf = (config: object, parameters: number): ModelSizes => ({
  shape: configOf("config.json", config).shape,
  parameters,
})

test("of a Llama by hand: twice its weights a token forward, once more back, and attention", () => {
  const [h, layers, heads, inner, words, T, r] = [64, 3, 4, 176, 300, 32, 8]
  // Keys and values have half the heads.
  const block = h * h + (2 * (h * h)) / 2 + h * h + 3 * h * inner
  const model = sizesOf(LLAMA, layers * (block + 2 * h) + h + 2 * words * h)
  const work = stepWork(model, { sites: EVERY, rank: r, classes: null, tokens: T })
  // q, k, v, o, gate, up, down: r rows of A and of B each.
  const adapters = r * (2 * h + 2 * (h + h / 2) + 2 * h + 3 * (h + inner))
  const attention = 2 * T * T * (heads * (h / heads))
  const weighted = 2 * T
  const forward = 2 * T * (layers * (block + adapters) + h * words) + 2 * attention * layers + weighted
  expect(vocabularyOf(model)).toBe(words)
  expect(work.trained).toBe(layers * adapters)
  expect(work.forward).toBe(forward)
  // Back through each product once for its input, and for an adapter's factors too; nothing is behind the first
  // block's input, so that what leads there, q, k and v with their A, is left out.
  const first = 2 * T * (h * h + (2 * (h * h)) / 2 + 3 * r * h)
  expect(work.backward).toBe(forward - weighted + 2 * attention * layers + 2 * T * layers * adapters - first)
})

test("the paper's models: their weights leave room for just their vocabularies", async () => {
  const folder = fileURLToPath(new URL("../../../../examples/paper/", import.meta.url))
  const found = new Map<string, number>()
  for (const name of await readdir(folder)) {
    const { expected, checkpoints } = parse(await readFile(join(folder, name), "utf8"))
    const [{ config, parameters }] = expected.models
    found.set(checkpoints[0], vocabularyOf(sizesOf(config, parameters)))
  }
  // RoBERTa: 50,265 words, 514 positions and a segment, and its pooler, 1,025 rows.
  expect(Object.fromEntries(found)).toEqual({
    "huggyllama/llama-7b": 32000,
    "TinyLlama/TinyLlama-1.1B-intermediate-step-1431k-3T": 32000,
    "FacebookAI/roberta-large": 50265 + 514 + 1 + 1025,
  })
})

const python = await pythonWithTorch()
describe.skipIf(python === null)("beside what PyTorch counts", () => {
  const CASES = [
    { config: LLAMA, classes: null, sites: ["q_proj", "v_proj"], rank: 8, tokens: 32, precision: "float32" },
    { config: LLAMA, classes: null, sites: EVERY, rank: 4, tokens: 48, precision: "float32" },
    { config: LLAMA, classes: null, sites: EVERY, rank: 4, tokens: 48, precision: "bfloat16" },
    {
      config: { ...LLAMA, tie_word_embeddings: true },
      classes: null,
      sites: ["down_proj"],
      rank: 4,
      tokens: 32,
      precision: "float32",
    },
    { config: ROBERTA, classes: 3, sites: ["query", "key"], rank: 8, tokens: 32, precision: "float32" },
    {
      config: LLAMA,
      classes: null,
      sites: ["q_proj", "v_proj"],
      layers: [2],
      rank: 8,
      tokens: 32,
      precision: "float32",
    },
    { config: ROBERTA, classes: 3, sites: ["query", "dense"], layers: [1], rank: 8, tokens: 32, precision: "float32" },
  ].map((given) => ({ ...given, sequences: 2 }))

  test("operations agree to 0.2 %, numbers kept to a fifth, what is trained exactly", async () => {
    const script = fileURLToPath(new URL("../../../python/countWork.py", import.meta.url))
    const { stdout } = await promisify(execFile)(python!, [script, JSON.stringify(CASES)], { maxBuffer: 1e8 })
    const theirs = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(theirs).toHaveLength(CASES.length)
    for (const [i, { config, sequences, precision, ...part }] of CASES.entries()) {
      const { forward, backward, kept, frozen, trained } = theirs[i]
      const work = stepWork(sizesOf(config, frozen), part)
      expect(work.trained).toBe(trained)
      expect(Math.abs((sequences * work.forward) / forward - 1)).toBeLessThan(0.002)
      expect(Math.abs((sequences * work.backward) / backward - 1)).toBeLessThan(0.002)
      const bytes = precision === "float32" ? 4 : 2 * 1.2
      expect(Math.abs((sequences * work.kept * bytes) / kept - 1)).toBeLessThan(0.2)
    }
  })
})

const engine = await engineForTests()
describe.skipIf(engine === null)("beside time measured", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "work-"))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test("steps of the graph engine take time as their operations, over eight times as many", async () => {
    const words = 64
    const engine = graphTuning()
    const rates: number[] = []
    for (const [hidden, tokens] of [
      [128, 64],
      [256, 64],
      [128, 256],
      [256, 128],
    ] as const) {
      const config = { ...LLAMA, hidden_size: hidden, intermediate_size: 4 * hidden, num_hidden_layers: 2 }
      const checkpoint = join(folder, `${hidden}-${tokens}`)
      await mkdir(checkpoint)
      await writeRandomModel(checkpoint, config, words)
      const adapted = { sites: ["q_proj", "v_proj"], rank: 8, classes: null }
      const tensors = trainedOf(configOf("config.json", config), adapted)
      const open = await engine.open({
        ...{ checkpoint, ...adapted, scale: 1, clip: null, precision: "float32" },
        start: drawStart(tensors, 1, (side, n) => (side === "A" ? n ** -0.5 : 0)),
        factors: tensors.map(() => 1),
        optimiser: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
        schedule: { rate: 1e-3, warmup: 0, decay: "none", steps: 20 },
      })
      const ids = Array.from({ length: 2 }, () => Array.from({ length: tokens }, (_, i) => i % words))
      const batch: Batch = { ids, mask: ids.map((own) => own.map(() => 1)), labels: ids }
      // Processor time of all threads, the least of several steps, so that other processes matter little.
      let least = Number.POSITIVE_INFINITY
      for (let step = 0; step < 12; step++) {
        const before = process.cpuUsage()
        await open.step([batch], false)
        const { user, system } = process.cpuUsage(before)
        if (step > 1) least = Math.min(least, (user + system) / 1e6)
      }
      await open.close()
      const parameters = 2 * words * hidden + 2 * (3 * hidden * hidden + 12 * hidden * hidden)
      const work = stepWork(sizesOf(config, parameters), { ...adapted, tokens })
      rates.push((2 * (work.forward + work.backward)) / least)
    }
    await engine.close()
    expect(Math.max(...rates) / Math.min(...rates)).toBeLessThan(2)
  })
})
