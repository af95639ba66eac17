import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { adapterIn } from "../../../src/checkpoint/adapter.js"
import { openCheckpoint } from "../../../src/checkpoint/open.js"
import { readPeftConfig } from "../../../src/checkpoint/peftConfig.js"
import { readPeftFolder } from "../../../src/checkpoint/peftFolder.js"
import { Affine } from "../../../src/exponent/affine.js"
import {
  InputError,
  type Pretrained,
  readPretrained,
  readTokenizer,
  type TextTask,
  type TextTokenizer,
  type TextTuning,
  tuneOnText,
} from "../../../src/index.js"
import { IGNORED } from "../../../src/train/tuning/batch.js"
import { textBatches } from "../../../src/train/tuning/text.js"
import { SMALL_BERT, SMALL_LLAMA, SMALL_TOKENIZER, WORDS, writeRandomModel } from "../../checkpoint/randomModel.js"
import { engineForTests } from "./engine.js"

const engine = await engineForTests()
let folder: string
let tokenizer: TextTokenizer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "text-"))
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(SMALL_TOKENIZER))
  tokenizer = await readTokenizer(folder)
})
afterAll(() => rm(folder, { recursive: true }))

const REVIEWS: TextTask = {
  kind: "classification",
  classes: 2,
  examples: [
    { text: "a very good film", label: 1 },
    { text: "bad", label: 0 },
    { text: "badly dull", pair: "and very bad!", label: 0 },
    { text: "fine and good!", label: 1 },
    { text: "a dull film", label: 0 },
    { text: "a fine film", label: 1 },
  ],
}
const MODEL = { padding: null }

describe("batches of texts", () => {
  test("are the tokens of the texts, padded, with masks, segments and classes", () => {
    const only = { ...REVIEWS, examples: REVIEWS.examples.slice(1, 3) }
    const { ids, mask, segments, labels } = textBatches(MODEL, tokenizer, only, {
      size: 2,
      length: 9,
      seed: 1,
      accumulate: 1,
    })(1, 0)
    const [short, long] = ids[0]!.at(-1) === 0 ? [0, 1] : [1, 0]
    expect(ids[long!]!.map((id) => WORDS[id])).toEqual([
      "[CLS]",
      "bad",
      "##ly",
      "dull",
      "[SEP]",
      "and",
      "very",
      "bad",
      "[SEP]",
    ])
    expect(segments![long!]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1])
    expect(ids[short!]!.map((id) => WORDS[id])).toEqual(["[CLS]", "bad", "[SEP]", ...new Array(6).fill("[PAD]")])
    expect(mask[short!]).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0])
    expect(labels).toEqual([0, 0])
  })

  test("each epoch has every example once, in an order of the seed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(50),
        (size, accumulate, seed) => {
          const batches = textBatches(MODEL, tokenizer, REVIEWS, { size, length: 12, seed, accumulate })
          const seen: string[] = []
          for (let step = 1; seen.length < 18; step++)
            for (let part = 0; part < accumulate; part++)
              for (const [s, ids] of batches(step, part).ids.entries())
                seen.push(ids.filter((_, j) => batches(step, part).mask[s]![j] === 1).join())
          const all = [...new Set(seen)].sort()
          expect(all).toHaveLength(6)
          for (const epoch of [0, 1, 2]) expect(seen.slice(6 * epoch, 6 * epoch + 6).sort()).toEqual(all)
        },
      ),
      { numRuns: 30 },
    )
    const first = (seed: number) =>
      textBatches(MODEL, tokenizer, REVIEWS, { size: 6, length: 12, seed, accumulate: 1 })(1, 0)
    expect(first(1)).toEqual(first(1))
    expect(first(1)).not.toEqual(first(2))
  })

  test("an example is cut before its last token, running texts become blocks whose tokens are told", () => {
    const long = { ...REVIEWS, examples: [{ text: "a a a a a a", label: 1 }] }
    expect(textBatches(MODEL, tokenizer, long, { size: 1, length: 4, seed: 1, accumulate: 1 })(1, 0).ids).toEqual([
      [2, 4, 4, 3],
    ])
    const causal: TextTask = { kind: "causal", texts: ["good film", "bad film"] }
    const { ids, labels, mask } = textBatches(MODEL, tokenizer, causal, { size: 2, length: 4, seed: 1, accumulate: 1 })(
      1,
      0,
    )
    expect([...ids].sort()).toEqual([
      [2, 5, 7, 3],
      [2, 6, 7, 3],
    ])
    expect(labels).toEqual(ids)
    expect(mask.flat()).not.toContain(0)
    expect(labels.flat()).not.toContain(IGNORED)
    expect(() => textBatches(MODEL, tokenizer, causal, { size: 2, length: 40, seed: 1, accumulate: 1 })).toThrow(
      InputError,
    )
  })
})

const power = (exponent: string) => ({ constant: 1, power: Affine.constant(exponent) })
const SETTINGS: TextTuning = {
  ...{ sites: ["query", "value"], rank: 2, alpha: 4, rankStabilised: false, ratio: 1 },
  start: { A: power("-1/2"), B: "zero" },
  ...{ steps: 40, size: 3, length: 12, accumulate: 2, seed: 7 },
  ...{ rate: 0.02, warmup: 4, decay: "linear", clip: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 },
}

describe.skipIf(engine === null)("LoRA on text", () => {
  const opened = async (config: object) => {
    await writeRandomModel(folder, config, WORDS.length)
    return readPretrained(folder)
  }
  const tuned = async (model: Pretrained, task: TextTask, settings: TextTuning) => {
    const run = await tuneOnText(engine!, model, tokenizer, task, settings)
    const losses: number[] = []
    let values: readonly Float32Array[] = []
    for await (const step of run.steps) {
      losses.push(step.loss)
      values = step.values
    }
    return { run, losses, values }
  }

  test("a random encoder learns which words are good, the same way each time, and is read back from its PEFT folder", async () => {
    const { model, close } = await opened(SMALL_BERT)
    const { run, losses, values } = await tuned(model, REVIEWS, SETTINGS)
    expect(losses[0]).toBeGreaterThan(0.5)
    expect(losses.at(-1)).toBeLessThan(0.1)
    const again = await tuned(model, REVIEWS, SETTINGS)
    expect(again.losses).toEqual(losses)
    expect((await tuned(model, REVIEWS, { ...SETTINGS, seed: 8 })).losses).not.toEqual(losses)
    const out = join(folder, "adapter")
    await run.save(out, folder)
    const back = await readPeftFolder(out, run.trained)
    expect(back.values.map((own) => [...own])).toEqual(values.map((own) => [...own]))
    expect(back.alpha).toBe(4)
    // As the readers of other people's folders see it.
    const file = await openCheckpoint(join(out, "adapter_model.safetensors"))
    const { modules, others } = await adapterIn(file, await readPeftConfig(join(out, "adapter_config.json")))
    await file.close()
    expect(modules.map(({ name, rank, scale }) => [name, rank, scale.value])).toContainEqual([
      "bert.encoder.layer.1.attention.self.value",
      2,
      2,
    ])
    expect(others).toEqual(["base_model.model.classifier.weight", "base_model.model.classifier.bias"])
    await close()
  })

  test("a random decoder learns a text by heart from either start; LoRA+'s ratio and a clipped rate matter", async () => {
    const { model, close } = await opened(SMALL_LLAMA)
    const task: TextTask = { kind: "causal", texts: new Array(4).fill("a very good film and a very dull film!") }
    const own = { ...SETTINGS, sites: ["q_proj", "v_proj", "down_proj", "up_proj"], rank: 4, rate: 0.03 }
    const starts = [own, { ...own, start: { A: "zero", B: power("0") } } as const]
    for (const settings of starts) {
      const { losses } = await tuned(model, task, settings)
      expect(losses.at(-1)! / losses[0]!).toBeLessThan(0.7)
      expect((await tuned(model, task, { ...settings, ratio: 4, steps: 5 })).losses).not.toEqual(losses.slice(0, 5))
    }
    await close()
  })
})
