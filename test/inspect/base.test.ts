/** The base model's weights found under the names that adapters of other programs give them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { adapterIn } from "../../src/checkpoint/adapter.js"
import { bytesInMemory } from "../../src/checkpoint/byteSource.js"
import { readGguf } from "../../src/checkpoint/gguf.js"
import { openCheckpoint } from "../../src/checkpoint/open.js"
import { readSafetensors } from "../../src/checkpoint/safetensors.js"
import { examine } from "../../src/inspect/catalogue.js"
import { measureRun } from "../../src/inspect/measureRun.js"
import { readRuns } from "../../src/inspect/run.js"
import { float32, gguf, safetensors, type Written } from "../checkpoint/write.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "base-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** A = (1 2 3; 0 1 0), B = (1 0; 0 2; 0 0; 1 1): ‖BA‖² = 37 (formats.test.ts). */
const [A, B] = [
  [1, 2, 3, 0, 1, 0],
  [1, 0, 0, 2, 0, 0, 1, 1],
]
const factors = (module: string, a = "lora_A.weight", b = "lora_B.weight") => [
  float32(`${module}.${a}`, [2, 3], A!),
  float32(`${module}.${b}`, [4, 2], B!),
]
const peft = (module: string) => factors(`base_model.model.${module}`)
const kohya = (module: string) => [
  ...factors(module, "lora_down.weight", "lora_up.weight"),
  float32(`${module}.alpha`, [], [2]),
]
/** A weight 4 × 3 of equal entries, whose norm is √12 times the entry. */
const weight = (name: string, entry: number) => float32(name, [4, 3], new Array(12).fill(entry))
const bytes = (name: string, dtype: string, shape: readonly number[], size: number): Written => ({
  name,
  dtype,
  shape,
  bytes: new Uint8Array(size),
})

/** What is said of names and sizes of an adapter beside a base model. */
async function beside(adapter: readonly Written[], base: readonly Written[], config?: object) {
  const [own, model] = [join(folder, "adapter.safetensors"), join(folder, "base-model.safetensors")]
  await writeFile(own, safetensors(adapter))
  await writeFile(model, safetensors(base))
  const place = join(folder, "adapter_config.json")
  if (config === undefined) await rm(place, { force: true })
  else await writeFile(place, JSON.stringify({ peft_type: "LORA", r: 2, lora_alpha: 2, ...config }))
  const opened = await openCheckpoint(model)
  const measured = await measureRun((await readRuns(own))[0]!, opened).finally(() => opened.close())
  const said = (id: string) => examine(measured).find(({ finding }) => finding.id === id)!.answer
  return {
    keys: said("wrong-keys"),
    sizes: said("beside-base"),
    scaling: said("scaling-mismatch"),
    modules: measured.modules,
  }
}

describe("names", () => {
  test("kohya's underscores, and diffusers' processors, are the base model's dots", async () => {
    const base = [weight("down_blocks.0.attn1.to_q.weight", 1), weight("down_blocks.0.attn1.to_out.0.weight", 1)]
    const flat = await beside(
      ["to_q", "to_out_0"].flatMap((to) => kohya(`lora_unet_down_blocks_0_attn1_${to}`)),
      base,
    )
    expect(flat.keys).toMatchObject({ state: "healthy", says: "All 2 modules have a weight of their shape." })
    const processors = ["to_q", "to_out"].flatMap((to) =>
      factors(`unet.down_blocks.0.attn1.processor.${to}_lora`, "down.weight", "up.weight"),
    )
    expect((await beside(processors, base)).keys.state).toBe("healthy")
  })

  test("a pipeline's other part has another file; a part of which some is missing is told", async () => {
    const base = [weight("blocks.0.to_q.weight", 1)]
    const both = [...kohya("lora_unet_blocks_0_to_q"), ...kohya("lora_te_layers_0_q_proj")]
    expect((await beside(both, base)).keys).toMatchObject({
      state: "healthy",
      says: expect.stringContaining("1 more, of lora_te_, are of another model"),
    })
    const half = [...kohya("lora_unet_blocks_0_to_q"), ...kohya("lora_unet_blocks_1_to_q")]
    expect((await beside(half, base)).keys.state).toBe("sick")
    // Names of a program that calls the same model's layers otherwise say nothing.
    expect((await beside(kohya("lora_unet_input_blocks_1_to_q"), base)).keys.state).toBe("unknown")
    // In PEFT's file "transformer." is the model itself.
    const gpt = [...peft("transformer.h.0.c_attn"), ...peft("lm_head")]
    expect((await beside(gpt, [weight("lm_head.weight", 1)], {})).keys.state).toBe("sick")
  })

  test("llama.cpp's names beside transformers' are another language, not another model", async () => {
    const { keys } = await beside(peft("model.layers.0.q_proj"), [weight("blk.0.attn_q.weight", 1)], {})
    expect(keys).toMatchObject({ state: "unknown", says: expect.stringContaining("the base model has llama.cpp's") })
  })

  test("a head that shares the words' table; layers that are repeated", async () => {
    const base = [
      weight("model.embed_tokens.weight", 3),
      ...[0, 1, 2].map((l) => weight(`model.layers.${l}.q.weight`, l + 1)),
    ]
    const head = await beside(peft("lm_head"), base, {})
    expect(head.keys.state).toBe("healthy")
    expect(head.sizes.number).toBeCloseTo(Math.sqrt(37 / 12) / 3, 6)
    // [[0, 2], [1, 3]] makes layers 0 1 1 2 of 0 1 2.
    const layers = [0, 1, 2, 3].flatMap((l) => peft(`model.layers.${l}.q`))
    const { keys, modules } = await beside(layers, base, {
      layer_replication: [
        [0, 2],
        [1, 3],
      ],
    })
    expect(keys.state).toBe("healthy")
    expect(modules.map(({ base }) => base! / Math.sqrt(12))).toEqual([1, 2, 2, 3].map((n) => expect.closeTo(n, 6)))
  })
})

describe("quantised weights", () => {
  const q = "model.layers.0.q"
  test.each([
    ["bitsandbytes, 4 bits", [bytes(`${q}.weight`, "U8", [6, 1], 6), bytes(`${q}.weight.absmax`, "U8", [1], 1)], "U8"],
    ["bitsandbytes, 8 bits", [bytes(`${q}.weight`, "I8", [4, 3], 12), float32(`${q}.SCB`, [4], [1, 1, 1, 1])], "I8"],
    ["GPTQ", [bytes(`${q}.qweight`, "I32", [1, 4], 16)], "I32"],
    ["8-bit floating point", [bytes(`${q}.weight`, "F8_E4M3", [4, 3], 12)], "F8_E4M3"],
  ])("%s: the name is found, the values are not guessed", async (_, base, type) => {
    const { keys, sizes } = await beside(peft(q), base, {})
    expect(keys.state).toBe("healthy")
    expect(sizes).toMatchObject({ state: "unknown", says: expect.stringContaining(`quantised (${type})`) })
  })
})

describe("factors as other programs lay them", () => {
  test("llama.cpp's token embedding: A has a row a token", async () => {
    const turned = [1, 0, 2, 1, 3, 0]
    const values = (numbers: readonly number[]) => new Uint8Array(Float32Array.from(numbers).buffer)
    const path = join(folder, "embedding.gguf")
    await writeFile(
      path,
      gguf({ "general.type": "adapter", "adapter.lora.alpha": 2 }, [
        { name: "token_embd.weight.lora_a", sizes: [2, 3], type: 0, bytes: values(turned) },
        { name: "token_embd.weight.lora_b", sizes: [2, 4], type: 0, bytes: values(B!) },
      ]),
    )
    const { modules } = await measureRun((await readRuns(path))[0]!, null)
    expect(modules[0]).toMatchObject({ rank: 2, input: 3, output: 4, scale: { value: 1 } })
    expect(Math.hypot(...modules[0]!.points[0]!.spectrum) ** 2).toBeCloseTo(37, 8)
  })

  test("factors of several experts in one are named and not measured as one product", async () => {
    const config = { peft_type: "LORA", r: 2, lora_alpha: 2, target_parameters: ["mlp.experts.up", "mlp.experts.down"] }
    const read = async (tensors: readonly Written[]) =>
      adapterIn(await readSafetensors(bytesInMemory("x", safetensors(tensors))), config)
    const experts = ["", ".base_layer"].flatMap((end) => [
      float32(`base_model.model.l.mlp.experts${end}.lora_A.weight`, [6, 3], new Array(18).fill(1)),
      float32(`base_model.model.l.mlp.experts${end}.lora_B.weight`, [4, 6], new Array(24).fill(1)),
    ])
    const { modules, ofExperts } = await read([...experts, ...peft("l.q")])
    expect(modules.map(({ name, scale }) => [name, scale.value])).toEqual([["l.q", 1]])
    expect(ofExperts).toEqual(["l.mlp.experts", "l.mlp.experts.base_layer"])
    await expect(read(experts)).rejects.toThrow(/factors of several experts/)
    const three = (name: string, sizes: number[]) => {
      const count = sizes.reduce((product, size) => product * size, 1)
      return { name, sizes, type: 0, bytes: new Uint8Array(4 * count).fill(1) }
    }
    const file = gguf({ "general.type": "adapter" }, [
      three("blk.0.ffn_up_exps.weight.lora_a", [3, 2, 8]),
      three("blk.0.ffn_up_exps.weight.lora_b", [2, 4, 8]),
      three("blk.0.attn_q.weight.lora_a", [3, 2]),
      three("blk.0.attn_q.weight.lora_b", [2, 4]),
    ])
    expect((await adapterIn(await readGguf(bytesInMemory("x", file)), null)).ofExperts).toEqual(["blk.0.ffn_up_exps"])
  })

  test("modules without an alpha are named where others have one", async () => {
    const { modules, scaling } = await beside([...kohya("lora_unet_q"), ...kohya("lora_unet_k").slice(0, 2)], [])
    expect(modules.map(({ scale }) => scale.value)).toEqual([1, null])
    expect(scaling.says).toContain("in 1 of 2 modules; of the others (lora_unet_k) the files say no alpha")
  })

  test("an alpha that is no number is refused", async () => {
    const tensors = [...kohya("lora_unet_q").slice(0, 2), float32("lora_unet_q.alpha", [], [Number.NaN])]
    const file = await readSafetensors(bytesInMemory("x", safetensors(tensors)))
    await expect(adapterIn(file, null)).rejects.toThrow(/value of "lora_unet_q.alpha": got "NaN"/)
  })

  test("diffusers keeps PEFT's configuration by part of the pipeline in the file's metadata", async () => {
    const read = async (metadata: unknown) => {
      const tensors = [
        ...factors("transformer.blocks.0.to_q"),
        ...factors("transformer.blocks.0.to_v"),
        ...factors("text_encoder.q"),
      ]
      const file = safetensors(tensors, { lora_adapter_metadata: JSON.stringify(metadata) })
      return (await adapterIn(await readSafetensors(bytesInMemory("x", file)), null)).modules.map(({ scale }) => scale)
    }
    const own = {
      "transformer.r": 2,
      "transformer.lora_alpha": 8,
      "transformer.alpha_pattern": { "^blocks.0.to_v": 16 },
    }
    expect((await read(own)).map(({ value }) => value)).toEqual([4, 8, null])
    expect((await read({ ...own, "transformer.use_rslora": true }))[0]).toMatchObject({
      value: expect.closeTo(8 / Math.SQRT2, 12),
      source: "lora_alpha / sqrt(rank)",
    })
    await expect(read({ "transformer.r": "two" })).rejects.toThrow(/lora_adapter_metadata.*transformer\.r/)
    await expect(read([])).rejects.toThrow(/an object/)
  })
})
