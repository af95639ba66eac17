import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { openCheckpoint } from "../../../src/checkpoint/open.js"
import { readPeftFolder, writePeftFolder } from "../../../src/checkpoint/peftFolder.js"
import { readPretrained } from "../../../src/checkpoint/pretrained.js"
import { type Engine, openEngine } from "../../../src/train/graph/engine.js"
import { type FineTuning, fineTune } from "../../../src/train/graph/fineTune.js"
import { type Gradients, openGradients } from "../../../src/train/graph/gradients.js"
import type { Batch } from "../../../src/train/tuning/batch.js"
import { type PythonJobs, startJobs } from "../../python/jobs.js"
import { pythonWithTorch } from "../../python/venv.js"
import { distance } from "./distance.js"

const python = await pythonWithTorch()

/** As in tune.py. */
const OPTIONS: Omit<FineTuning, "accumulate" | "rate"> = {
  steps: 20,
  clip: 1,
  warmup: 3,
  decay: "linear",
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.01,
}

/** What tune.py answers: a model, trained from both starts. */
interface Theirs {
  readonly checkpoint: string
  readonly targets: readonly string[]
  readonly classes: number | null
  readonly rank: number
  readonly starts: Readonly<
    Record<
      "A" | "B",
      {
        readonly losses: readonly number[]
        readonly batches: readonly Batch[]
        readonly accumulate: number
        readonly rate: number
      }
    >
  >
}

/** Models, and how many trained tensors they have. */
const MODELS = [
  ["MiniLM-L6, BERT with padding", "minilm", 24],
  ["SmolLM2-135M, Llama with grouped queries, from GGUF", "smollm2", 120],
  ["a random RoBERTa", "roberta", 32],
  ["a random Qwen2 with padding in front", "qwen2", 24],
] as const

describe.skipIf(python === null)("LoRA for 20 steps, beside PyTorch and PEFT", () => {
  let jobs: PythonJobs
  let engine: Engine
  beforeAll(async () => {
    jobs = startJobs(python!, "tune.py")
    engine = await openEngine()
  })
  afterAll(() => jobs.close())

  describe.each(MODELS)("%s", (_, name, count) => {
    let folder: string
    let theirs: Theirs
    let gradients: Gradients
    let close: () => Promise<void>
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "parity-"))
      theirs = await jobs.ask<Theirs>({ tune: name, folder })
      const opened = await readPretrained(theirs.checkpoint)
      close = opened.close
      const { targets: sites, rank, classes } = theirs
      const kept = await openCheckpoint(join(folder, "A", "tuned.safetensors"))
      const head = new Map<string, Float32Array>()
      for (const [tensor, stored] of kept.tensors)
        if (tensor.startsWith("classifier.")) head.set(tensor, await stored.read())
      await kept.close()
      const adaptation = { sites, rank, scale: 2, classes, trainHead: false }
      gradients = await openGradients(engine, opened.model, adaptation, head)
      expect(gradients.trained).toHaveLength(count)
    }, 1_200_000)
    afterAll(async () => {
      await close()
      await rm(folder, { recursive: true })
    })

    test.each(["A", "B"] as const)(
      "with %s random at the start: losses, first gradients and adapters agree to 1e-4",
      async (random) => {
        const place = join(folder, random)
        const kept = await openCheckpoint(join(place, "tuned.safetensors"))
        const read = (tensor: string) => kept.tensors.get(tensor)!.read()
        const { losses, batches, accumulate, rate } = theirs.starts[random]
        const names = gradients.trained.map((tensor) => tensor.name)
        const start = await Promise.all(names.map((tensor) => read(`start.${tensor}`)))
        const batchOf = (step: number, part: number) => batches[(step - 1) * accumulate + part]!
        let [steps, last]: [number, readonly Float32Array[]] = [0, []]
        const options = { ...OPTIONS, rate, accumulate }
        for await (const { loss, gradients: first, values } of fineTune(gradients, start, batchOf, options)) {
          expect(Math.abs(loss / losses[steps]! - 1), `loss of step ${steps + 1}`).toBeLessThan(1e-4)
          if (steps === 0)
            for (const [i, tensor] of names.entries())
              expect(distance(await read(`first.${tensor}`), first[i]!), `gradient of ${tensor}`).toBeLessThan(1e-4)
          ;[steps, last] = [steps + 1, values]
        }
        expect(steps).toBe(20)
        for (const [i, tensor] of names.entries())
          expect(distance(await read(`end.${tensor}`), last[i]!), tensor).toBeLessThan(1e-4)
        // PEFT's folder is read here, and one that is written here by PEFT.
        const back = await readPeftFolder(place, gradients.trained)
        for (const [i, tensor] of names.entries()) expect(back.values[i], tensor).toEqual(await read(`end.${tensor}`))
        await kept.close()
        const { rank, targets: sites, checkpoint } = theirs
        expect(back.alpha / rank).toBe(2)
        if (checkpoint !== folder) return
        const written = names.map((tensor, i) => ({
          name: tensor,
          shape: gradients.trained[i]!.shape,
          values: last[i]!,
        }))
        const settings = { rank, alpha: back.alpha, rankStabilised: false, sites, task: null, base: null }
        const ours = join(folder, `${random}-ours`)
        await writePeftFolder(ours, settings, written)
        const theirLoss = await jobs.ask<number>({ load: ours, onto: folder, batch: batches[0] })
        const { loss } = await gradients.at(batches[0]!, last)
        expect(theirLoss / loss, "with our adapter in PEFT").toBeCloseTo(1, 4)
      },
      1_200_000,
    )
  })
})
