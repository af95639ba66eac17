import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, test } from "vitest"
import { openCheckpoint } from "../../../src/checkpoint/open.js"
import { readPeftFolder, writePeftFolder } from "../../../src/checkpoint/peftFolder.js"
import { readPretrained } from "../../../src/checkpoint/pretrained.js"
import { openEngine } from "../../../src/train/graph/engine.js"
import { type FineTuning, fineTune } from "../../../src/train/graph/fineTune.js"
import { openGradients } from "../../../src/train/graph/gradients.js"
import type { Batch } from "../../../src/train/tuning/batch.js"
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

/** What tune.py writes. */
interface Theirs {
  readonly checkpoint: string
  readonly losses: readonly number[]
  readonly batches: readonly Batch[]
  readonly accumulate: number
  readonly targets: readonly string[]
  readonly classes: number | null
  readonly rank: number
  readonly rate: number
}

/** Models, and how many trained tensors they have. */
const MODELS = [
  ["MiniLM-L6, BERT with padding", "minilm", 24],
  ["SmolLM2-135M, Llama with grouped queries, from GGUF", "smollm2", 120],
  ["a random RoBERTa", "roberta", 32],
  ["a random Qwen2 with padding in front", "qwen2", 24],
] as const

describe.skipIf(python === null)("LoRA for 20 steps, beside PyTorch and PEFT", () => {
  describe.each(MODELS)("%s", (_, name, count) => {
    test.each(["A", "B"])(
      "with %s random at the start: losses, first gradients and adapters agree to 1e-4",
      async (random) => {
        const folder = await mkdtemp(join(tmpdir(), "parity-"))
        try {
          const env = { ...process.env, HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false" }
          const script = fileURLToPath(new URL("../../python/tune.py", import.meta.url))
          await promisify(execFile)(python!, [script, name, folder, random], { env, maxBuffer: 1e8 })
          const theirs = JSON.parse(await readFile(join(folder, "run.json"), "utf8")) as Theirs
          const kept = await openCheckpoint(join(folder, "tuned.safetensors"))
          const read = (tensor: string) => kept.tensors.get(tensor)!.read()
          const { model, close } = await readPretrained(theirs.checkpoint)
          const { targets: sites, rank, rate, classes, accumulate } = theirs
          const head = new Map<string, Float32Array>()
          for (const tensor of kept.tensors.keys())
            if (tensor.startsWith("classifier.")) head.set(tensor, await read(tensor))
          const adaptation = { sites, rank, scale: 2, classes, trainHead: false }
          const gradients = await openGradients(await openEngine(), model, adaptation, head)
          const names = gradients.trained.map((tensor) => tensor.name)
          expect(names).toHaveLength(count)
          const start = await Promise.all(names.map((tensor) => read(`start.${tensor}`)))
          const batches = (step: number, part: number) => theirs.batches[(step - 1) * accumulate + part]!
          let [steps, last]: [number, readonly Float32Array[]] = [0, []]
          for await (const { loss, gradients: first, values } of fineTune(gradients, start, batches, {
            ...OPTIONS,
            rate,
            accumulate,
          })) {
            expect(Math.abs(loss / theirs.losses[steps]! - 1), `loss of step ${steps + 1}`).toBeLessThan(1e-4)
            if (steps === 0)
              for (const [i, tensor] of names.entries())
                expect(distance(await read(`first.${tensor}`), first[i]!), `gradient of ${tensor}`).toBeLessThan(1e-4)
            ;[steps, last] = [steps + 1, values]
          }
          expect(steps).toBe(20)
          for (const [i, tensor] of names.entries())
            expect(distance(await read(`end.${tensor}`), last[i]!), tensor).toBeLessThan(1e-4)
          // PEFT's folder is read here, and one that is written here by PEFT.
          const back = await readPeftFolder(join(folder, "theirs"), gradients.trained)
          for (const [i, tensor] of names.entries()) expect(back.values[i], tensor).toEqual(await read(`end.${tensor}`))
          expect(back.alpha / rank).toBe(2)
          if (theirs.checkpoint === folder) {
            const written = names.map((tensor, i) => ({
              name: tensor,
              shape: gradients.trained[i]!.shape,
              values: last[i]!,
            }))
            const settings = { rank, alpha: back.alpha, rankStabilised: false, sites, task: null, base: null }
            await writePeftFolder(join(folder, "ours"), settings, written)
            const loader = fileURLToPath(new URL("../../python/loadAdapter.py", import.meta.url))
            const { stdout } = await promisify(execFile)(python!, [loader, folder, join(folder, "ours")], { env })
            const { loss } = await gradients.at(theirs.batches[0]!, last)
            expect(Number(stdout.trim()) / loss, "with our adapter in PEFT").toBeCloseTo(1, 4)
          }
          await kept.close()
          await close()
        } finally {
          await rm(folder, { recursive: true })
        }
      },
      1_200_000,
    )
  })
})
