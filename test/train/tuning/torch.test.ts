/** The engine `torch`: beside the graph engine, killed, on two processes, and asked what it cannot do. */
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { configOf } from "../../../src/checkpoint/pretrainedConfig.js"
import { rateAt } from "../../../src/train/adamw.js"
import { uniforms } from "../../../src/train/random.js"
import { type Batch, IGNORED } from "../../../src/train/tuning/batch.js"
import type { OpenTuning, StepTaken, TuningJob } from "../../../src/train/tuning/engine.js"
import { graphTuning } from "../../../src/train/tuning/graph.js"
import { type TorchEngine, torchTuning } from "../../../src/train/tuning/torch/engine.js"
import { TorchRun } from "../../../src/train/tuning/torch/run.js"
import { type TorchModel, TorchWorker } from "../../../src/train/tuning/torch/worker.js"
import { drawStart, trainedOf } from "../../../src/train/tuning/trained.js"
import { SMALL_BERT, SMALL_LLAMA, writeRandomGguf, writeRandomModel } from "../../checkpoint/randomModel.js"
import { pythonWithTorch } from "../../python/venv.js"
import { distance } from "../graph/distance.js"
import { engineForTests } from "../graph/engine.js"

const python = await pythonWithTorch()
const graph = await engineForTests()

const [WORDS, STEPS, SEQUENCES, TOKENS] = [40, 20, 3, 12]
const sizes = { vocab_size: WORDS, max_position_embeddings: 64, type_vocab_size: 2 }
/** Configurations as transformers reads them, the adapted modules, and the number of classes. */
const MODELS = {
  "a Llama that tells the next token": [
    { ...SMALL_LLAMA, ...sizes },
    ["q_proj", "v_proj", "down_proj"],
    null,
    undefined,
  ],
  "a BERT that tells a class": [{ ...SMALL_BERT, ...sizes }, ["query", "value"], 3, undefined],
  "a RoBERTa that tells a class": [
    { ...SMALL_BERT, ...sizes, model_type: "roberta", pad_token_id: 1 },
    ["query", "dense"],
    3,
    undefined,
  ],
  "a RoBERTa with adapters in its last block": [
    { ...SMALL_BERT, ...sizes, model_type: "roberta", pad_token_id: 1 },
    ["query", "dense"],
    3,
    [1],
  ],
  "a Llama that tells a class": [{ ...SMALL_LLAMA, ...sizes }, ["q_proj", "o_proj"], 2, undefined],
  "a Llama with adapters in its last block": [{ ...SMALL_LLAMA, ...sizes }, ["q_proj", "down_proj"], null, [1]],
} as const
type ModelName = keyof typeof MODELS
const [LLAMA] = Object.keys(MODELS) as [ModelName]

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "torch-"))
})
afterAll(() => rm(folder, { recursive: true }))

async function jobOf(name: ModelName, more: Partial<TuningJob> = {}): Promise<TuningJob> {
  const [config, sites, classes, layers] = MODELS[name]
  const checkpoint = join(folder, name)
  await mkdir(checkpoint, { recursive: true })
  await writeRandomModel(checkpoint, config, WORDS)
  const tensors = trainedOf(configOf("config.json", config), { sites, layers, rank: 4, classes })
  // Both factors random, so that every gradient is there from the first step.
  const start = drawStart(tensors, 1, (side, n) => (side === "A" ? n ** -0.5 : 0.3))
  return {
    ...{ checkpoint, sites, layers, rank: 4, scale: 2, classes, start, clip: 1, precision: "float32" },
    factors: start.map(({ name }) => (name.includes("lora_B") ? 4 : 1)),
    optimiser: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.01 },
    schedule: { rate: 2e-3, warmup: 3, decay: "linear", steps: STEPS },
    ...more,
  }
}

/** Random sequences of random lengths, padded behind. */
function batchOf(name: ModelName, stream: string): Batch {
  const [config, , classes] = MODELS[name]
  const uniform = uniforms(1, stream)
  const below = (count: number) => Math.floor(uniform() * count)
  const padding = "pad_token_id" in config ? config.pad_token_id : 0
  const lengths = Array.from({ length: SEQUENCES }, (_, i) => (i === 0 ? TOKENS : TOKENS / 2 + below(TOKENS / 2)))
  const ids = lengths.map((length) =>
    Array.from({ length: TOKENS }, (_, j) => (j < length ? 2 + below(WORDS - 2) : padding)),
  )
  const mask = lengths.map((length) => Array.from({ length: TOKENS }, (_, j) => (j < length ? 1 : 0)))
  const labels =
    classes === null
      ? ids.map((own, s) => own.map((id, j) => (mask[s]![j] === 1 ? id : IGNORED)))
      : ids.map(() => below(classes))
  return { ids, mask, labels }
}

const batchesOf = (name: ModelName, step: number) => [0, 1].map((part) => batchOf(name, `step ${step} part ${part}`))

async function stepsOf(name: ModelName, open: OpenTuning, from = 1, to = STEPS): Promise<StepTaken[]> {
  const taken: StepTaken[] = []
  for (let step = from; step <= to; step++) taken.push(await open.step(batchesOf(name, step), step === 1 || step === 9))
  return taken
}

const relative = (x: number, y: number) => Math.abs(x - y) / Math.max(Math.abs(x), 1e-12)

describe.skipIf(python === null)("the engine torch", () => {
  let engine: TorchEngine
  beforeAll(() => {
    engine = torchTuning({ python: python!, device: "cpu", keepEvery: 4 })
  })
  afterAll(() => engine.close())

  test("says what computes", async () => {
    await engine.check()
    const open = await engine.open(await jobOf(LLAMA))
    expect(open.engine).toMatch(/^torch \S+ transformers \S+ peft \S+ cpu$/)
    await open.close()
  })

  describe.skipIf(graph === null)("beside the graph engine", () => {
    test.each(Object.keys(MODELS) as ModelName[])(
      "%s: 20 steps agree to 1e-4, sizes and likelihoods too",
      async (name) => {
        const job = await jobOf(name)
        const ours = graphTuning()
        const [x, y] = [await ours.open(job), await engine.open(job)]
        const [theirs, own] = [await stepsOf(name, y), await stepsOf(name, x)]
        for (const [i, { loss, norm }] of own.entries()) {
          expect(relative(loss, theirs[i]!.loss), `loss of step ${i + 1}`).toBeLessThan(1e-4)
          expect(relative(norm, theirs[i]!.norm), `norm of step ${i + 1}`).toBeLessThan(1e-3)
        }
        const measured = (steps: readonly StepTaken[]) =>
          new Map(
            steps.flatMap(({ sites }) => sites.map((site) => [`${site.step} ${site.module}`, site.sizes] as const)),
          )
        const [expected, found] = [measured(own), measured(theirs)]
        expect([...found.keys()].sort()).toEqual([...expected.keys()].sort())
        expect(found.size).toBe(3 * new Set([...found.keys()].map((key) => key.split(" ")[1])).size)
        for (const [key, sizes] of expected) {
          expect(Object.keys(found.get(key)!).sort()).toEqual(Object.keys(sizes).sort())
          for (const [size, value] of Object.entries(sizes))
            expect(relative(value, found.get(key)![size as keyof typeof sizes]!), `${size} at ${key}`).toBeLessThan(
              1e-2,
            )
        }
        const [mine, yours] = [await x.values(), await y.values()]
        job.start.forEach((tensor, i) => {
          expect(distance(mine[i]!, yours[i]!), tensor.name).toBeLessThan(1e-4)
          // It has moved by far more than that.
          expect(distance(mine[i]!, tensor.values), tensor.name).toBeGreaterThan(1e-3)
        })
        const batch = batchOf(name, "judged")
        const close = (a: readonly number[], b: readonly number[]) => {
          expect(a).toHaveLength(b.length)
          for (const [i, each] of a.entries()) expect(relative(each, b[i]!)).toBeLessThan(1e-4)
        }
        close(await x.likelihoods(batch), await y.likelihoods(batch))
        if (job.classes === null) {
          const prompt = batch.ids[0]!.slice(0, 5)
          const prompts = [prompt, batch.ids[1]!.slice(0, 3)]
          const said = await x.generate(prompts, 8, [])
          expect(said.map(({ length }) => length)).toEqual([8, 8])
          expect(await y.generate(prompts, 8, [])).toEqual(said)
          const [stop] = said[0]!.slice(3)
          const before = said.map((own) => (own.includes(stop!) ? own.slice(0, own.indexOf(stop!)) : own))
          expect(await y.generate(prompts, 8, [stop!])).toEqual(before)
        } else
          for (const [i, row] of (await x.classLikelihoods(batch)).entries())
            close(row, (await y.classLikelihoods(batch))[i]!)
        await Promise.all([x.close(), y.close(), ours.close()])
      },
    )
  })

  test("a GGUF file has the losses of the same weights in safetensors, on both engines", async () => {
    const job = await jobOf(LLAMA)
    const checkpoint = join(folder, "model.gguf")
    await writeRandomGguf(checkpoint, MODELS[LLAMA][0], WORDS)
    const ours = graph === null ? [] : [graphTuning()]
    const [x, ...others] = [
      await engine.open(job),
      await engine.open({ ...job, checkpoint }),
      ...(await Promise.all(ours.map((own) => own.open({ ...job, checkpoint })))),
    ]
    const expected = await stepsOf(LLAMA, x!, 1, 5)
    for (const open of others)
      for (const [i, { loss, norm }] of (await stepsOf(LLAMA, open, 1, 5)).entries()) {
        expect(relative(expected[i]!.loss, loss), `loss of step ${i + 1}`).toBeLessThan(1e-4)
        expect(relative(expected[i]!.norm, norm), `norm of step ${i + 1}`).toBeLessThan(1e-3)
      }
    await Promise.all([x!, ...others, ...ours].map((each) => each.close()))
  })

  test("killed in the middle of a step it goes on to the same bits, and says so", async () => {
    const job = await jobOf(LLAMA)
    const whole = await engine.open(job)
    const expected = await stepsOf(LLAMA, whole)
    const values = await whole.values()
    expect(whole.survived).toEqual([])
    await whole.close()
    const open = await engine.open(job)
    const taken = await stepsOf(LLAMA, open, 1, 6)
    const [pid] = (await engine.worker()).pids
    const pending = open.step(batchesOf(LLAMA, 7), false)
    process.kill(pid!, "SIGKILL")
    taken.push(await pending, ...(await stepsOf(LLAMA, open, 8)))
    expect(taken).toEqual(expected)
    expect(await open.values()).toEqual(values)
    expect(open.survived).toEqual(["the worker in Python (process 0) was ended by SIGKILL after step 6"])
    await open.close()
  })

  test("two runs side by side do not disturb each other", async () => {
    const [x, y] = [await engine.open(await jobOf(LLAMA)), await engine.open(await jobOf(LLAMA, { clip: null }))]
    const alone = await stepsOf(LLAMA, x, 1, 2)
    await stepsOf(LLAMA, y, 1, 1)
    const third = await stepsOf(LLAMA, x, 3, 3)
    await Promise.all([x.close(), y.close()])
    const again = await engine.open(await jobOf(LLAMA))
    expect(await stepsOf(LLAMA, again, 1, 3)).toEqual([...alone, ...third])
    await again.close()
  })

  test("bfloat16: near float32, and not equal to it", async () => {
    const [wide, narrow] = [await jobOf(LLAMA), await jobOf(LLAMA, { precision: "bfloat16" })]
    const [x, y] = [await engine.open(wide), await engine.open(narrow)]
    const [expected, found] = [await stepsOf(LLAMA, x), await stepsOf(LLAMA, y)]
    const apart = expected.map(({ loss }, i) => relative(loss, found[i]!.loss))
    expect(Math.max(...apart)).toBeLessThan(3e-2)
    expect(Math.max(...apart)).toBeGreaterThan(1e-5)
    await Promise.all([x.close(), y.close()])
  })

  test.each([
    ["as they are", 1],
    // Without a loss scale, what reaches the adapters is below the least number of float16.
    ["tiny", 1e-5],
    // With the first one it is above the largest.
    ["large", 30],
  ])("float16 with a loss scale: near float32 where gradients are %s", async (what, by) => {
    const narrow = await jobOf(LLAMA, { precision: "float16", clip: null })
    const checkpoint = join(folder, `${what} gradients`)
    await mkdir(checkpoint, { recursive: true })
    await writeRandomModel(checkpoint, { ...MODELS[LLAMA][0], tie_word_embeddings: false }, WORDS, by)
    const [x, y] = [
      await engine.open({ ...narrow, checkpoint, precision: "float32" }),
      await engine.open({ ...narrow, checkpoint }),
    ]
    const [expected, found] = [await stepsOf(LLAMA, x, 1, 5), await stepsOf(LLAMA, y, 1, 5)]
    for (const [i, { loss, norm }] of expected.entries()) {
      expect(relative(loss, found[i]!.loss), `loss of step ${i + 1}`).toBeLessThan(1e-2)
      expect(relative(norm, found[i]!.norm), `norm of step ${i + 1}`).toBeLessThan(3e-2)
    }
    expect(found.map(({ norm }) => norm)).not.toEqual(expected.map(({ norm }) => norm))
    await Promise.all([x.close(), y.close()])
  })

  test("asked what it cannot do it says why, and goes on", async () => {
    const job = await jobOf(LLAMA)
    const refused = (more: Partial<TuningJob>, message: RegExp) =>
      expect(engine.open({ ...job, ...more })).rejects.toThrow(message)
    await refused({ checkpoint: join(folder, "nowhere") }, /^model: got ".*nowhere"; allowed: a folder that exists/)
    await refused({ sites: ["query"] }, /^sites: got .*query/)
    await refused({ layers: [1, 2] }, /^layers: got "\[1, 2\]"; allowed: blocks of the model.*for example \[1\]/)
    await refused(
      { start: job.start.slice(1) },
      /^adapter: got ".*lora_A\.weight"; allowed: exactly the trained tensors/,
    )
    await refused(
      { start: [{ ...job.start[0]!, shape: [2, 8], values: new Float32Array(16) }, ...job.start.slice(1)] },
      /^adapter: got ".*\[2, 8\]"; allowed: the shape \[4, 16\]/,
    )
    const open = await engine.open(job)
    const [batch] = batchesOf(LLAMA, 1)
    await expect(open.step([{ ...batch!, ids: [[WORDS]] }], false)).rejects.toThrow(
      /^batches\[0\]\.ids: got 40; allowed: tokens from 0, below 40/,
    )
    await expect(open.step([{ ...batch!, mask: [[1]] }], false)).rejects.toThrow(
      /^batches\[0\]\.mask: .*3 sequences of 12 integers/,
    )
    const worker = await engine.worker()
    await expect(worker.ask("train", {})).rejects.toThrow(/^do: got "train"; allowed: one of open, start/)
    await expect(worker.ask("step", { batches: [], rate: 1, record: false })).rejects.toThrow(
      /^batches: .*a list of batches/,
    )
    await expect(worker.ask("step", { batches: [batch], rate: "1e-3", record: false })).rejects.toThrow(
      /^rate: got "1e-3"; allowed: a number/,
    )
    expect((await open.step(batchesOf(LLAMA, 1), false)).loss).toBeGreaterThan(0)
    await open.close()
  })

  describe("two processes", () => {
    let worker: TorchWorker
    beforeAll(async () => {
      worker = await TorchWorker.start({ python: python!, device: "cpu", processes: 2 })
    })
    afterAll(() => worker.close())

    /** The job as a run of both processes, kept after every fourth step. */
    const shared = (job: TuningJob, sharded: boolean) => {
      const { checkpoint: model, sites, layers = null, rank, scale, classes, clip, start, optimiser } = job
      const { precision } = job
      const opened: TorchModel = {
        ...{ model, sites, layers, rank, scale, classes, sharded, precision },
        ...{ trainHead: classes !== null, recompute: sharded },
      }
      const factors = Object.fromEntries(start.map(({ name }, i) => [name, job.factors[i]!]))
      return TorchRun.begin(worker, opened, start, { ...optimiser, clip, factors }, 4)
    }

    test.each([
      [LLAMA, "a whole copy each", false],
      [LLAMA, "a share of the weights each (FSDP)", true],
      ["a RoBERTa that tells a class", "a share of the weights each (FSDP)", true],
    ] as const)("train %s to the same losses as one, %s", async (name, _, sharded) => {
      const job = await jobOf(name)
      const alone = await engine.open(job)
      const expected = await stepsOf(name, alone)
      const values = await alone.values()
      const run = await shared(job, sharded)
      expect(worker.greeting.processes).toBe(2)
      for (const [i, { loss, norm, sites: measured }] of expected.entries()) {
        const step = i + 1
        // As after a death: the run begins anew from where it was kept.
        if (step === 11) worker.owner = null
        const found = await run.step(batchesOf(name, step), rateAt(step, job.schedule), measured.length > 0)
        expect(relative(loss, found.loss), `loss of step ${step}`).toBeLessThan(1e-5)
        expect(relative(norm, found.norm), `norm of step ${step}`).toBeLessThan(1e-4)
        expect(found.sites.map(({ module }) => module)).toEqual(measured.map(({ module }) => module))
        for (const [k, { sizes }] of measured.entries())
          for (const [name, size] of Object.entries(sizes))
            expect(relative(size, found.sites[k]!.sizes[name as keyof typeof sizes]!), name).toBeLessThan(1e-2)
      }
      const own = await run.values()
      for (const [i, tensor] of job.start.entries())
        expect(distance(values[i]!, own.get(tensor.name)!), tensor.name).toBeLessThan(1e-4)
      // One sequence: a process has none.
      const { ids, mask, labels } = batchOf(name, "judged")
      const single = { ids: ids.slice(0, 1), mask: mask.slice(0, 1), labels: labels.slice(0, 1) } as Batch
      expect(
        relative((await alone.likelihoods(single))[0]!, likelihoodOf(single, await run.score(single))),
      ).toBeLessThan(1e-5)
      if (job.classes === null)
        expect(await run.generate([[5, 6, 7]], 6, [])).toEqual(await alone.generate([[5, 6, 7]], 6, []))
      await Promise.all([alone.close(), run.close()])
    })

    test("bfloat16 in shares is near bfloat16 as a whole", async () => {
      const job = await jobOf(LLAMA, { precision: "bfloat16" })
      const [whole, shares] = [await shared(job, false), await shared(job, true)]
      for (let step = 1; step <= 5; step++) {
        const batches = batchesOf(LLAMA, step)
        const [x, y] = [await whole.step(batches, 1e-3, false), await shares.step(batches, 1e-3, false)]
        expect(relative(x.loss, y.loss), `loss of step ${step}`).toBeLessThan(1e-2)
      }
      await Promise.all([whole.close(), shares.close()])
    })
  })
})

/** Of a batch of one sequence. */
function likelihoodOf({ labels: [label] }: Batch, [scores]: readonly (readonly number[])[]): number {
  return scores![typeof label === "number" ? label : 0]!
}
