import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { readPretrained } from "../../src/checkpoint/pretrained.js"
import { configOf } from "../../src/checkpoint/pretrainedConfig.js"
import { readTokenizer } from "../../src/checkpoint/tokenizer.js"
import { InputError } from "../../src/inputError.js"
import { BLOCK_SITES } from "../../src/program/models/transformer.js"
import { SMALL_BERT, SMALL_LLAMA, SMALL_TOKENIZER, WORDS, writeRandomModel } from "./randomModel.js"
import { float32, gguf, safetensors } from "./write.js"

const BERT = {
  model_type: "bert",
  hidden_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 6,
  layer_norm_eps: 1e-12,
  hidden_act: "gelu",
}
/** As SmolLM2-135M's, with fields that say nothing here. */
const LLAMA = {
  architectures: ["LlamaForCausalLM"],
  attention_bias: false,
  attention_dropout: 0,
  hidden_act: "silu",
  hidden_size: 576,
  intermediate_size: 1536,
  model_type: "llama",
  num_attention_heads: 9,
  num_hidden_layers: 30,
  num_key_value_heads: 3,
  rms_norm_eps: 1e-5,
  rope_scaling: null,
  rope_theta: 100000,
  tie_word_embeddings: true,
  vocab_size: 49152,
}
const QWEN2 = {
  model_type: "qwen2",
  hidden_size: 896,
  intermediate_size: 4864,
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_parameters: { rope_theta: 1e6, rope_type: "default" },
  sliding_window: 32768,
  use_sliding_window: false,
  tie_word_embeddings: true,
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pretrained-"))
})
afterAll(() => rm(folder, { recursive: true }))

const counted = (length: number, from = 0) => Array.from({ length }, (_, i) => from + i)

describe("a folder of a BERT", () => {
  const TABLES = { word_embeddings: 5, position_embeddings: 3, token_type_embeddings: 2 }

  async function write({ prefix = "", leaveOut = "" } = {}): Promise<void> {
    await writeFile(join(folder, "config.json"), JSON.stringify(BERT))
    const tables = Object.entries(TABLES).filter(([name]) => name !== leaveOut)
    const tensors = tables.map(([name, rows]) =>
      float32(`${prefix}embeddings.${name}.weight`, [rows, 4], counted(4 * rows)),
    )
    await writeFile(join(folder, "model.safetensors"), safetensors(tensors))
  }

  test.each(["", "bert."])("whose names begin with %j is read: sizes, tables, weights", async (prefix) => {
    await write({ prefix })
    const { model, close } = await readPretrained(folder)
    expect(model.shape).toMatchObject({
      family: "bert",
      layers: 1,
      heads: 2,
      keyHeads: 2,
      hidden: 4,
      head: 2,
      inner: 6,
    })
    expect([...model.tables.segments!]).toEqual(counted(8))
    expect(model.tables.output).toBeNull()
    const table = "bert.embeddings.position_embeddings.weight"
    expect([...(await model.weight(table, [3, 4]))]).toEqual(counted(12))
    await expect(model.weight(table, [4, 3])).rejects.toThrow(/shape.*4×3/)
    await expect(model.weight("bert.pooler.dense.weight", [4, 4])).rejects.toThrow("no tensor bert.pooler.dense.weight")
    await close()
  })

  test("without a table is refused by its name", async () => {
    await write({ leaveOut: "position_embeddings" })
    await expect(readPretrained(folder)).rejects.toThrow("no tensor bert.embeddings.position_embeddings.weight")
  })
})

describe("config.json", () => {
  test("of Llama, Qwen2 and RoBERTa says true shapes", () => {
    const { shape } = configOf("config.json", LLAMA)
    expect(shape).toMatchObject({ head: 64, keyHeads: 3, epsilon: 1e-5, rotary: 100000, biased: [], tied: true })
    expect(configOf("c", { ...LLAMA, attention_bias: true }).shape.biased).toEqual(["q", "k", "v", "o"])
    expect(configOf("c", { ...LLAMA, head_dim: 80 }).shape.head).toBe(80)
    expect(configOf("c", QWEN2).shape).toMatchObject({ head: 64, rotary: 1e6, biased: ["q", "k", "v"] })
    const roberta = configOf("c", { ...BERT, model_type: "roberta", pad_token_id: 1 })
    expect(roberta).toMatchObject({ padding: 1, shape: { family: "roberta", biased: BLOCK_SITES["bert-block"] } })
  })

  test.each([
    [{ ...BERT, model_type: "gpt2" }, /model_type.*gpt2.*bert, roberta, llama, qwen2/],
    [{ ...BERT, hidden_act: "relu" }, /hidden_act.*relu/],
    [{ ...BERT, position_embedding_type: "relative_key" }, /position_embedding_type.*relative_key/],
    [{ ...BERT, num_attention_heads: 3 }, /hidden_size.*multiple of 3 heads/],
    [{ ...BERT, hidden_size: -4 }, /hidden_size.*-4/],
    [{ ...BERT, num_hidden_layers: 1e6 }, /num_hidden_layers/],
    [{ ...BERT, layer_norm_eps: "small" }, /layer_norm_eps.*small/],
    [{ ...LLAMA, rope_scaling: { rope_type: "yarn", factor: 4 } }, /rope_scaling.rope_type.*yarn/],
    [{ ...LLAMA, rope_parameters: { rope_type: "llama3", rope_theta: 5e5 } }, /rope_parameters.rope_type.*llama3/],
    [{ ...LLAMA, num_key_value_heads: 4 }, /num_key_value_heads.*divisor of 9/],
    [{ ...LLAMA, mlp_bias: true }, /mlp_bias.*true/],
    [
      { ...LLAMA, quantization_config: { quant_method: "gptq" } },
      /quantization_config.*gptq.*none: weights in bfloat16/,
    ],
    [{ ...LLAMA, head_dim: 5 }, /head_dim.*even/],
    [{ ...QWEN2, use_sliding_window: true }, /use_sliding_window.*true/],
    [null, /config/],
    [[], /config.*object/],
  ])("%j is refused by its field", (config, message) => {
    expect(() => configOf("config.json", config)).toThrow(InputError)
    expect(() => configOf("config.json", config)).toThrow(message)
  })
})

describe("GGUF", () => {
  const sizes = { embedding_length: 4, block_count: 1, feed_forward_length: 6, "attention.head_count": 2 }
  const rest = { "attention.head_count_kv": 1, "attention.layer_norm_rms_epsilon": 1e-5, "rope.freq_base": 500 }
  const metadata = (architecture: string, more = {}) => ({
    "general.architecture": architecture,
    ...Object.fromEntries(
      Object.entries({ ...sizes, ...rest, ...more }).map(([key, value]) => [`${architecture}.${key}`, value]),
    ),
  })
  const tensor = (name: string, rows: number, columns: number, from = 0) => {
    const bytes = new Uint8Array(Float32Array.from(counted(rows * columns, from)).buffer)
    return { name, sizes: [columns, rows], type: 0, bytes }
  }
  const HEAD = [tensor("token_embd.weight", 3, 4), tensor("blk.0.attn_k.weight", 4, 4)]
  const path = () => join(folder, "model.gguf")

  test("head width 4 over one key head: rows that are turned together lie half a head apart", async () => {
    await writeFile(path(), gguf(metadata("llama", { "attention.key_length": 4 }), HEAD))
    const { model, close } = await readPretrained(path())
    expect(model.shape).toMatchObject({ family: "llama", head: 4, keyHeads: 1, rotary: 500, tied: true })
    // Rows 0, 1, 2, 3 of the file are pairs (0, 1) and (2, 3); transformers turns rows 0 and 2, and 1 and 3.
    const keys = await model.weight("model.layers.0.self_attn.k_proj.weight", [4, 4])
    expect([0, 1, 2, 3].map((row) => keys[4 * row]! / 4)).toEqual([0, 2, 1, 3])
    await close()
    await writeFile(path(), gguf(metadata("qwen2", { "attention.key_length": 4 }), HEAD))
    const qwen = await readPretrained(path())
    expect([...(await qwen.model.weight("model.layers.0.self_attn.k_proj.weight", [4, 4]))]).toEqual(counted(16))
    await qwen.close()
  })

  test("the tokenizer within: pairs are joined, digits stand alone, a control token is one", async () => {
    const tokens = ["Ġ", "a", "b", "Ġa", "Ġab", "1", "2", "<|end|>", "12"]
    const own = {
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.pre": "smollm",
      "tokenizer.ggml.tokens": tokens,
      "tokenizer.ggml.token_type": tokens.map((token) => (token === "<|end|>" ? 3 : 1)),
      "tokenizer.ggml.merges": ["Ġ a", "Ġa b", "1 2"],
    }
    await writeFile(path(), gguf({ ...metadata("llama"), ...own }, HEAD))
    const { ids } = (await readTokenizer(path())).encode("b ab 12<|end|>a")
    expect(ids.map((id) => tokens[id])).toEqual(["b", "Ġab", "Ġ", "1", "2", "<|end|>", "a"])
    await writeFile(path(), gguf({ ...metadata("llama"), ...own, "tokenizer.ggml.pre": "tekken" }, HEAD))
    await expect(readTokenizer(path())).rejects.toThrow(/tokenizer.ggml.pre.*tekken/)
  })

  test("another architecture and scaled positions are refused", async () => {
    await writeFile(path(), gguf(metadata("gemma"), HEAD))
    await expect(readPretrained(path())).rejects.toThrow(/general.architecture.*gemma/)
    await writeFile(path(), gguf(metadata("llama", { "rope.scaling.type": "yarn" }), HEAD))
    await expect(readPretrained(path())).rejects.toThrow(/rope.scaling.type.*yarn/)
  })
})

describe("corrupted files of a model", () => {
  /** Bytes changed, cut out or repeated. */
  const damage = fc.record({
    changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    cut: fc.option(fc.tuple(fc.nat(), fc.nat(40))),
    end: fc.option(fc.nat(), { freq: 4 }),
  })
  const damaged = (
    whole: Uint8Array,
    { changes, cut, end }: { changes: [number, number][]; cut: [number, number] | null; end: number | null },
  ) => {
    let bytes = whole.slice()
    for (const [at, value] of changes) bytes[at % Math.min(bytes.length, 4000)] = value
    if (cut !== null)
      bytes = new Uint8Array([
        ...bytes.slice(0, cut[0] % bytes.length),
        ...bytes.slice((cut[0] % bytes.length) + cut[1]),
      ])
    return end === null ? bytes : bytes.slice(0, end % bytes.length)
  }

  /**
   * Expects what is read or a typed refusal of so many damaged files; gives how many were refused, and how much memory
   * grew.
   */
  async function attempt(name: string, count: number, read: () => Promise<unknown>) {
    const path = join(folder, name)
    const whole = new Uint8Array(await readFile(path))
    const before = process.memoryUsage().rss
    let refused = 0
    await fc.assert(
      fc.asyncProperty(damage, async (own) => {
        await writeFile(path, damaged(whole, own))
        try {
          await read()
        } catch (error) {
          refused++
          expect(error).toBeInstanceOf(InputError)
          expect(String(error).length).toBeLessThan(2000)
        }
      }),
      { numRuns: count, seed: 20 },
    )
    await writeFile(path, whole)
    return { refused, grown: process.memoryUsage().rss - before }
  }

  const model = async () => {
    const { model, close } = await readPretrained(folder)
    try {
      const module = model.shape.rotary === null ? "bert.encoder.layer.0.output.dense" : "model.layers.0.mlp.down_proj"
      await model.weight(`${module}.weight`, [16, 24])
    } finally {
      await close()
    }
  }
  const text = async () => (await readTokenizer(folder)).encode("A very good film, badly dull!", "and fine")

  test("2,000 of them, config, safetensors, GGUF and tokenizer: typed refusals in little memory", async () => {
    await rm(join(folder, "model.gguf"), { force: true })
    const found = []
    for (const config of [SMALL_BERT, SMALL_LLAMA]) {
      await writeRandomModel(folder, config, WORDS.length)
      found.push(await attempt("config.json", 300, model), await attempt("model.safetensors", 300, model))
    }
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify(SMALL_TOKENIZER))
    found.push(await attempt("tokenizer.json", 400, text))
    const metadata = { "general.architecture": "llama", "llama.embedding_length": 4, "llama.block_count": 1 }
    const rest = { "llama.feed_forward_length": 6, "llama.attention.head_count": 2 }
    const bytes = new Uint8Array(Float32Array.from(counted(12)).buffer)
    const file = gguf({ ...metadata, ...rest, "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm" }, [
      { name: "token_embd.weight", sizes: [4, 3], type: 0, bytes },
    ])
    const path = join(folder, "model.gguf")
    await writeFile(path, file)
    const both = async () => {
      const { close } = await readPretrained(path)
      await close()
      await readTokenizer(path)
    }
    found.push(await attempt("model.gguf", 400, both))
    for (const { refused, grown } of found) {
      expect(refused).toBeGreaterThan(100)
      expect(grown).toBeLessThan(2e8)
    }
  })
})
