import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { readPretrained, readPretrainedConfig } from "../../../src/checkpoint/pretrained.js"
import { readTokenizer, type TextTokenizer } from "../../../src/checkpoint/tokenizer.js"
import { Affine } from "../../../src/exponent/affine.js"
import { tuneOnText } from "../../../src/train/graph/tuneOnText.js"
import { IGNORED } from "../../../src/train/tuning/batch.js"
import type { OpenTuning, TuningJob } from "../../../src/train/tuning/engine.js"
import { evaluate, textWindows } from "../../../src/train/tuning/evaluate.js"
import { graphTuning } from "../../../src/train/tuning/graph.js"
import { textBatches } from "../../../src/train/tuning/text.js"
import { drawStart, trainedOf } from "../../../src/train/tuning/trained.js"
import { SMALL_LLAMA, WORDS } from "../../checkpoint/randomModel.js"
import { engineForTests } from "../graph/engine.js"
import { sentences, writeFamily } from "./texts.js"

const engine = await engineForTests()
let folder: string
let checkpoint: string
let tokenizer: TextTokenizer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tuning-"))
  await writeFamily(folder, [16])
  checkpoint = join(folder, "llama-16")
  tokenizer = await readTokenizer(checkpoint)
})
const tunings = graphTuning()
afterAll(async () => {
  await tunings.close()
  await rm(folder, { recursive: true })
})

const ADAPTED = { sites: ["q_proj", "down_proj"], rank: 2 }
const RATE = 0.05
const SCHEDULE = { warmup: 2, decay: "linear", steps: 8 } as const
const OPTIMISER = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 }
const TASK = { kind: "causal", texts: [sentences(1, 40)] } as const
const BATCHING = { size: 2, length: 16, accumulate: 2, seed: 7 }

async function job(change: Partial<TuningJob> = {}): Promise<TuningJob> {
  const tensors = trainedOf(await readPretrainedConfig(checkpoint), { ...ADAPTED, classes: null, ...change })
  return {
    checkpoint,
    ...ADAPTED,
    scale: 2,
    classes: null,
    start: drawStart(tensors, 7, (side, n) => (side === "A" ? n ** -0.5 : 0)),
    factors: tensors.map(() => 1),
    optimiser: OPTIMISER,
    schedule: { ...SCHEDULE, rate: RATE },
    clip: 1,
    precision: "float32",
    ...change,
  }
}

describe.skipIf(engine === null)("the graph engine", () => {
  const trained = async (tuning: OpenTuning, steps: number, record: readonly number[] = []) => {
    const batches = textBatches({ padding: null }, tokenizer, TASK, BATCHING)
    const taken = []
    for (let step = 1; step <= steps; step++)
      taken.push(await tuning.step([batches(step, 0), batches(step, 1)], record.includes(step)))
    return taken
  }

  test("takes the steps that tuneOnText takes, which PyTorch and PEFT take too", async () => {
    const { model, close } = await readPretrained(checkpoint)
    const run = await tuneOnText(engine!, model, tokenizer, TASK, {
      ...{ ...ADAPTED, alpha: 4, rankStabilised: false, ratio: 1, clip: 1, rate: RATE },
      ...{ ...SCHEDULE, ...OPTIMISER, ...BATCHING },
      start: { A: { constant: 1, power: Affine.constant("-1/2") }, B: "zero" },
    })
    const expected: number[] = []
    for await (const { loss } of run.steps) expected.push(loss)
    await close()
    const tuning = await tunings.open(await job())
    expect((await trained(tuning, 8)).map(({ loss }) => loss)).toEqual(expected)
    // Sizes are looked at without a trace.
    const watched = await tunings.open(await job())
    expect((await trained(watched, 8, [1, 4, 8])).map(({ loss }) => loss)).toEqual(expected)
  })

  test("sizes at a layer add up: parts to the step, steps to the change from the start", async () => {
    const tuning = await tunings.open(await job({ schedule: { ...SCHEDULE, warmup: 0, decay: "none", rate: RATE } }))
    const [first, second] = await trained(tuning, 2, [1, 2])
    const at = (taken: typeof first, step: number, kind: string) =>
      taken!.sites.find((each) => each.step === step && each.module === `model.layers.1.${kind}`)!.sizes
    const start = at(first, 0, "self_attn.q_proj")
    expect(start.zB).toBe(0)
    // B is zero, so that A's change alone does nothing; what the step changes is what has changed.
    const one = at(first, 1, "self_attn.q_proj")
    expect(one.delta1).toBe(0)
    expect(one.deltaZB).toBeCloseTo(one.zB!, 12)
    expect(one.change).toBeCloseTo(one.zB!, 12)
    expect(one.deltaZB!).toBeLessThanOrEqual(one.delta2! + one.delta3! + 1e-12)
    const two = at(second, 2, "mlp.down_proj")
    expect(two.deltaZB!).toBeLessThanOrEqual(two.delta1! + two.delta2! + two.delta3! + 1e-12)
    // Adam's first step is the rate for each entry; the second is no longer.
    expect(one.movedB).toBeCloseTo(RATE, 5)
    expect(two.movedB).toBeGreaterThan(RATE)
    expect(two.movedB).toBeLessThan(2 * RATE + 1e-6)
    expect(second!.sites).toHaveLength(4)
  })

  test("a factor of rate 0 stays as it is and does not count in the norm", async () => {
    const whole = await job()
    const isA = (name: string) => name.endsWith("lora_A.weight")
    const frozen = await tunings.open({ ...whole, factors: whole.start.map(({ name }) => (isA(name) ? 0 : 1)) })
    const [, , third] = await trained(frozen, 3)
    const values = await frozen.values()
    whole.start.forEach(({ name, values: start }, i) => {
      expect([name, [...values[i]!].every((x, k) => x === start[k])]).toEqual([name, isA(name)])
    })
    const both = await tunings.open(whole)
    const [, , other] = await trained(both, 3)
    expect(third!.norm).toBeLessThan(other!.norm)
  })

  test("perplexity is told by overlapping windows, each token once", async () => {
    const ids = [5, 6, 7, 8, 9, 10, 11]
    const told = textWindows(ids, 4, 2).map(({ ids, label }) => [ids, label])
    expect(told).toEqual([
      [
        [5, 6, 7, 8],
        [IGNORED, 6, 7, 8],
      ],
      [
        [7, 8, 9, 10],
        [IGNORED, IGNORED, 9, 10],
      ],
      [
        [9, 10, 11],
        [IGNORED, IGNORED, 11],
      ],
    ])
    const tuning = await tunings.open(await job())
    const text = sentences(3, 4)
    const found = await evaluate(
      tuning,
      tokenizer,
      { metric: "perplexity", evaluation: { kind: "perplexity", texts: [text], length: 12, stride: 5 } },
      { size: 3, length: 12, padding: 0 },
    )
    // Token by token, from the likelihoods of what is told next.
    const all = tokenizer.encode(text).ids
    let sum = 0
    for (let t = 1; t < all.length; t++) {
      const first = Math.max(0, Math.ceil((t + 1 - 12) / 5)) * 5
      const own = all.slice(first, t + 1)
      const labels = own.map((id, i) => (i === own.length - 1 ? id : IGNORED))
      sum += (await tuning.likelihoods({ ids: [own], mask: [own.map(() => 1)], labels: [labels] }))[0]!
    }
    expect(found).toBeCloseTo(Math.exp(-sum / (all.length - 1)), 3)
  })

  test("the likeliest option and what is generated are those of the highest likelihoods", async () => {
    const tuning = await tunings.open(await job({ schedule: { ...SCHEDULE, rate: RATE, steps: 60 } }))
    await trained(tuning, 60)
    const prompt = tokenizer.encode("a very bad film and a bad film! a very dull film and a").ids.slice(1, -1)
    const [[next] = []] = await tuning.generate([prompt], 1, [])
    const likelihoods: number[] = []
    for (const [id] of WORDS.entries()) {
      const ids = [...prompt, id]
      const labels = ids.map((each, i) => (i === prompt.length ? each : IGNORED))
      likelihoods.push((await tuning.likelihoods({ ids: [ids], mask: [ids.map(() => 1)], labels: [labels] }))[0]!)
    }
    expect(next).toBe(likelihoods.indexOf(Math.max(...likelihoods)))
    expect(likelihoods.reduce((sum, each) => sum + Math.exp(each), 0)).toBeCloseTo(1, 4)
    expect(await tuning.generate([prompt, prompt], 5, [next!])).toEqual([[], []])
    const how = { size: 2, length: 40, padding: 0 }
    const question = { prompt: "a very bad", options: ["very", "film"], answer: 1 }
    const options = { kind: "options", questions: [question, { ...question, answer: 0 }] } as const
    expect(await evaluate(tuning, tokenizer, { metric: "accuracy", evaluation: options }, how)).toBe(0.5)
  })

  test("classes are told by their likelihoods, which sum to one", async () => {
    const classified = { ...ADAPTED, classes: 3 }
    const tensors = trainedOf(await readPretrainedConfig(checkpoint), classified)
    expect(tensors.at(-1)).toEqual({ name: "score.weight", shape: [3, SMALL_LLAMA.hidden_size] })
    const start = drawStart(tensors, 7, () => 0.1)
    const tuning = await tunings.open(await job({ classes: 3, start, factors: tensors.map(() => 1) }))
    const batch = {
      ids: [
        [2, 4, 3, 0],
        [2, 6, 7, 3],
      ],
      mask: [
        [1, 1, 1, 0],
        [1, 1, 1, 1],
      ],
      labels: [1, 2],
    }
    const all = await tuning.classLikelihoods(batch)
    for (const own of all) expect(own.reduce((sum, each) => sum + Math.exp(each), 0)).toBeCloseTo(1, 5)
    const told = await tuning.likelihoods(batch)
    expect(told[0]).toBeCloseTo(all[0]![1]!, 5)
    expect(told[1]).toBeCloseTo(all[1]![2]!, 5)
  })
})
