import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { acrossRuns } from "../../src/inspect/across.js"
import { examine } from "../../src/inspect/catalogue.js"
import { measureRun } from "../../src/inspect/measureRun.js"
import { readRuns } from "../../src/inspect/run.js"
import { InspectionJson, inspectionJson, inspectionText } from "../../src/report/inspection.js"
import { bfloat16, float32, gguf, safetensors, type Written } from "../checkpoint/write.js"
import { generator } from "./made.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "variety-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** How one of the ways of writing an adapter names and shapes its tensors. */
interface Way {
  readonly name: string
  readonly modules: readonly string[]
  readonly a: (module: string) => string
  readonly b: (module: string) => string
  /** Kernels of a convolution behind A's and B's two sizes. */
  readonly kernel?: readonly number[]
  /** Tensors beside the factors. */
  readonly beside?: (module: string, output: number, alpha: number) => readonly Written[]
  readonly config?: Readonly<Record<string, unknown>>
  readonly file: string
}

const layers = (count: number, name: (i: number) => string) => Array.from({ length: count }, (_, i) => name(i))
const peft = (prefix: string) => ({
  a: (module: string) => `${prefix}${module}.lora_A.weight`,
  b: (module: string) => `${prefix}${module}.lora_B.weight`,
  file: "adapter_model.safetensors",
})
const kohya = {
  a: (module: string) => `${module}.lora_down.weight`,
  b: (module: string) => `${module}.lora_up.weight`,
  beside: (module: string, _: number, alpha: number) => [float32(`${module}.alpha`, [], [alpha])],
  file: "x.safetensors",
}
const q = (i: number) => `model.layers.${i}.self_attn.q_proj`
const WAYS: readonly Way[] = [
  { name: "PEFT", modules: layers(4, q), ...peft("base_model.model."), config: {} },
  { name: "PEFT, rsLoRA", modules: layers(4, q), ...peft("base_model.model."), config: { use_rslora: true } },
  { name: "PEFT without its prefix", modules: layers(4, q), ...peft(""), config: {} },
  {
    name: "DoRA with a trained head",
    modules: layers(4, q),
    ...peft("base_model.model."),
    beside: (module, output) => [
      float32(`base_model.model.${module}.lora_magnitude_vector`, [output], new Array(output).fill(0.7)),
      ...(module === q(0) ? [float32("base_model.model.score.weight", [2, 3], [1, 2, 3, 4, 5, 6])] : []),
    ],
    config: { use_dora: true, modules_to_save: ["score"] },
  },
  {
    name: "embeddings",
    modules: ["model.embed_tokens"],
    a: (module) => `base_model.model.${module}.lora_embedding_A`,
    b: (module) => `base_model.model.${module}.lora_embedding_B`,
    file: "adapter_model.safetensors",
    config: { target_modules: ["embed_tokens"] },
  },
  { name: "PEFT, convolutions", modules: ["conv1", "conv2"], ...peft("base_model.model."), kernel: [1, 1], config: {} },
  {
    name: "kohya, SDXL",
    modules: layers(3, (i) => `lora_unet_input_blocks_${i}_1_transformer_blocks_0_attn1_to_q`),
    ...kohya,
  },
  {
    name: "kohya, text encoder",
    modules: layers(3, (i) => `lora_te1_text_model_encoder_layers_${i}_mlp_fc1`),
    ...kohya,
  },
  { name: "kohya, convolutions", modules: ["lora_unet_input_blocks_1_0_in_layers_2"], ...kohya, kernel: [1, 1] },
  {
    name: "diffusers, Flux",
    modules: layers(3, (i) => `transformer.transformer_blocks.${i}.attn.to_q`),
    ...peft(""),
    file: "pytorch_lora_weights.safetensors",
  },
  {
    name: "diffusers, before PEFT",
    modules: layers(3, (i) => `unet.down_blocks.${i}.attentions.0.transformer_blocks.0.attn1.processor.to_q`),
    a: (module) => `${module}_lora.down.weight`,
    b: (module) => `${module}_lora.up.weight`,
    file: "pytorch_lora_weights.safetensors",
  },
  {
    name: "Flux by XLabs",
    modules: layers(3, (i) => `double_blocks.${i}.processor.qkv`),
    a: (module) => `${module}_lora1.down.weight`,
    b: (module) => `${module}_lora1.up.weight`,
    file: "x.safetensors",
  },
]

const CASES = 300

test(`${CASES} healthy adapters of other people's kinds, ranks 1 to 256, alpha 8 to 512: none crashes, hardly one is called sick`, async () => {
  const called: string[] = []
  for (let seed = 0; seed < CASES; seed++) {
    const { uniform, normal } = generator(5000 + seed)
    const among = <T>(values: readonly T[]) => values[Math.floor(uniform() * values.length)]!
    const way = among(WAYS)
    // Every rank of twos, the large ones less often: their matrices take longer.
    const rank = among([1, 2, 4, 8, 16, 1, 2, 4, 8, 16, 32, 64, 5, 12, ...(seed % 10 === 0 ? [128, 256] : [])])
    const [input, output] = [among([40, 64, 96]) * (rank > 32 ? 4 : 1), among([40, 64, 96]) * (rank > 32 ? 4 : 1)]
    const alpha = 8 * 2 ** Math.floor(7 * uniform())
    const steps = among([[0, 10, 20], [20], [0, 30], [10, 30, 60]])
    const rate = 1e-3 * 10 ** uniform()
    const tensor = among([float32, float32, bfloat16])
    const place = join(folder, String(seed))
    const state = way.modules.map(() => ({
      a: Array.from({ length: rank * input }, () => normal() / Math.sqrt(input)),
      b: new Array<number>(output * rank).fill(0),
    }))
    let done = 0
    for (const step of steps) {
      // Updates that agree in part from step to step, as Adam's do: far below the rate times the steps.
      const reach = rate * Math.sqrt(step - done)
      for (const factors of state)
        for (const factor of ["a", "b"] as const)
          factors[factor] = factors[factor].map((value) => value + reach * normal())
      done = step
      const tensors = way.modules.flatMap((module, i) => [
        tensor(way.a(module), [rank, input, ...(way.kernel ?? [])], state[i]!.a),
        tensor(way.b(module), [output, rank, ...(way.kernel ?? []).map(() => 1)], state[i]!.b),
        ...(way.beside?.(module, output, alpha) ?? []),
      ])
      const own = join(place, `checkpoint-${step}`)
      await mkdir(own, { recursive: true })
      // Kinds without a folder of their own lie side by side.
      const file =
        way.file === "x.safetensors"
          ? join(place, `x-step${String(step).padStart(8, "0")}.safetensors`)
          : join(own, way.file)
      await writeFile(file, safetensors(tensors))
      if (way.config !== undefined)
        await writeFile(
          join(own, "adapter_config.json"),
          JSON.stringify({ peft_type: "LORA", r: rank, lora_alpha: alpha, ...way.config }),
        )
    }
    const runs = await readRuns(place)
    expect(runs, way.name).toHaveLength(1)
    const measured = await measureRun(runs[0]!, null)
    expect(measured.modules.map(({ rank, input, output }) => [rank, input, output])).toEqual(
      way.modules.map(() => [rank, input, output]),
    )
    const examined = [{ measured, answers: examine(measured) }]
    InspectionJson.parse(inspectionJson(examined, acrossRuns([measured])))
    expect(inspectionText(examined[0]!)).toContain(`${way.modules.length} modules`)
    if (way.name.startsWith("DoRA")) {
      // What is not measured is said.
      expect(measured.notes.join(" ")).toMatch(/score\.weight.*DoRA/)
      expect(measured.modules[0]!.points[0]!.magnitude!.largest).toBeCloseTo(0.7, 2)
    }
    const ill = examined[0]!.answers.filter(({ answer }) => answer.state === "sick")
    called.push(...ill.map(({ finding }) => `${way.name}, rank ${rank}, seed ${seed}: ${finding.id}`))
  }
  expect(called.slice(0, CASES / 20)).toEqual(called)
})

test("several runs in one folder, of kinds that differ, are told apart", async () => {
  const place = join(folder, "several")
  const { normal } = generator(1)
  const values = (count: number) => Array.from({ length: count }, normal)
  const pair = (a: string, b: string) => safetensors([float32(a, [2, 6], values(12)), float32(b, [5, 2], values(10))])
  await mkdir(join(place, "peft"), { recursive: true })
  await writeFile(
    join(place, "peft/adapter_model.safetensors"),
    pair("base_model.model.q.lora_A.weight", "base_model.model.q.lora_B.weight"),
  )
  await writeFile(join(place, "cat.safetensors"), pair("lora_unet_q.lora_down.weight", "lora_unet_q.lora_up.weight"))
  const bytes = (count: number) => new Uint8Array(Float32Array.from(values(count)).buffer)
  await writeFile(
    join(place, "llama.gguf"),
    gguf({ "general.type": "adapter", "adapter.type": "lora", "adapter.lora.alpha": 4 }, [
      { name: "blk.0.attn_q.weight.lora_a", sizes: [6, 2], type: 0, bytes: bytes(12) },
      { name: "blk.0.attn_q.weight.lora_b", sizes: [2, 5], type: 0, bytes: bytes(10) },
    ]),
  )
  const runs = await readRuns(place)
  expect(runs.map(({ name, checkpoints }) => [name, checkpoints[0]!.adapter.format])).toEqual([
    ["cat", "kohya"],
    ["llama", "GGUF"],
    ["peft", "PEFT"],
  ])
  for (const run of runs) examine(await measureRun(run, null))
})
