import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { readPretrained } from "../../../src/checkpoint/pretrained.js"
import { type WrittenTensor, writeSafetensors } from "../../../src/checkpoint/writeSafetensors.js"
import { openGradients } from "../../../src/train/graph/gradients.js"
import { type Pretraining, pretrain } from "../../../src/train/tuning/pretrain.js"
import { SMALL_LLAMA } from "../../checkpoint/randomModel.js"
import { engineForTests } from "../graph/engine.js"

const engine = await engineForTests()
const CONFIG = { ...SMALL_LLAMA, tie_word_embeddings: false, vocab_size: 12 }
const OPTIONS: Pretraining = {
  ...{ rate: 0.03, warmup: 2, steps: 40, decay: "linear", clip: 1, seed: 3, baseWidth: 16 },
  ...{ beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0 },
}
/** Each token is told by the one before it: 0 1 2 … 11 0 … from anywhere. */
const batchOf = (step: number) => {
  const ids = [0, 1, 2].map((s) => Array.from({ length: 8 }, (_, j) => (5 * step + 7 * s + j) % 12))
  return { ids, mask: ids.map((own) => own.map(() => 1)), labels: ids }
}

describe.skipIf(engine === null)("a Llama trained from nothing", () => {
  test("begins at equal odds, learns what follows what, and is read back as a checkpoint", async () => {
    const run = await pretrain(engine!, CONFIG, OPTIONS, batchOf)
    const losses: number[] = []
    for await (const { loss } of run.steps) losses.push(loss)
    expect(losses[0]).toBeCloseTo(Math.log(12), 5)
    expect(losses.at(-1)).toBeLessThan(0.1)
    const folder = await mkdtemp(join(tmpdir(), "pretrained-"))
    await writeFile(join(folder, "config.json"), JSON.stringify(CONFIG))
    await writeSafetensors(join(folder, "model.safetensors"), run.weights())
    const { model, close } = await readPretrained(folder)
    const adaptation = { sites: ["q_proj"], rank: 1, scale: 1, classes: null, trainHead: false }
    const gradients = await openGradients(engine!, model, adaptation)
    const zeros = gradients.trained.map(({ shape: [rows, columns] }) => new Float32Array(rows * columns))
    expect((await gradients.at(batchOf(41), zeros)).loss).toBeLessThan(0.1)
    await close()
    await rm(folder, { recursive: true })
  })

  test("every kind of tensor moves against its gradient, as differences of the loss have it", async () => {
    // Without memory Adam moves each entry by the rate against the sign of its gradient.
    const options = {
      ...OPTIONS,
      rate: 0.02,
      warmup: 0,
      decay: "none",
      steps: 5,
      clip: 1e9,
      beta1: 0,
      beta2: 0,
    } as const
    const run = await pretrain(engine!, CONFIG, options, batchOf)
    const at: WrittenTensor[][] = []
    for await (const _ of run.steps) at.push(run.weights())
    const folder = await mkdtemp(join(tmpdir(), "pretrained-"))
    await writeFile(join(folder, "config.json"), JSON.stringify(CONFIG))
    const lossWith = async (name: string, k: number, step: number) => {
      const values = at[3]!.map((tensor) => {
        const own = tensor.values.slice()
        if (tensor.name === name) own[k]! += step
        return { ...tensor, values: own }
      })
      await writeSafetensors(join(folder, "model.safetensors"), values)
      const { model, close } = await readPretrained(folder)
      const adaptation = { sites: ["q_proj"], rank: 1, scale: 1, classes: null, trainHead: false }
      const gradients = await openGradients(engine!, model, adaptation)
      const zeros = gradients.trained.map(({ shape: [rows, columns] }) => new Float32Array(rows * columns))
      const losses = await gradients.losses(batchOf(5), zeros)
      await close()
      return losses.reduce((sum, each) => sum + each, 0)
    }
    const told = new Set<string>()
    const kinds = ["model.embed_tokens", "lm_head", "model.norm", "model.layers.0.self_attn.q_proj"]
    for (const name of [...kinds, "model.layers.1.mlp.down_proj"].map((kind) => `${kind}.weight`)) {
      const [before, after] = [3, 4].map((i) => at[i]!.find((tensor) => tensor.name === name)!.values)
      for (let k = 0; k < before!.length && k < 60; k += 11) {
        const slope = (await lossWith(name, k, 0.01)) - (await lossWith(name, k, -0.01))
        // What is far above rounding.
        if (Math.abs(slope) < 1e-4) continue
        expect([name, k, Math.sign(after![k]! - before![k]!)]).toEqual([name, k, -Math.sign(slope)])
        told.add(name)
      }
    }
    expect(told.size).toBe(5)
    await rm(folder, { recursive: true })
  })
})
