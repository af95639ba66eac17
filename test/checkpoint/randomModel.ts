import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { configOf } from "../../src/checkpoint/pretrainedConfig.js"
import { type WrittenTensor, writeSafetensors } from "../../src/checkpoint/writeSafetensors.js"
import { NAMES, pretrainedProgram } from "../../src/program/models/pretrained.js"
import { gaussians } from "../../src/train/random.js"
import { type GgufTensor, gguf } from "./write.js"

/** A small BERT's config.json. */
export const SMALL_BERT = {
  model_type: "bert",
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 24,
  hidden_act: "gelu",
}

/** A small Llama's. */
export const SMALL_LLAMA = {
  model_type: "llama",
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 24,
  hidden_act: "silu",
  tie_word_embeddings: true,
}

/**
 * Writes a random model of so many words into a folder, as transformers saves one; positions below 64.
 *
 * @param head what the weights that read the output are multiplied by, where they are not the words' own.
 */
export async function writeRandomModel(folder: string, config: object, words: number, head = 1): Promise<void> {
  const tensors = randomTensors(config, words, head)
  await writeFile(join(folder, "config.json"), JSON.stringify(config))
  await writeSafetensors(join(folder, "model.safetensors"), tensors)
}

/** Writes the same Llama into a GGUF file, where rows that are turned together lie side by side. */
export async function writeRandomGguf(path: string, config: object, words: number): Promise<void> {
  const { shape } = configOf("config.json", config)
  const { hidden, layers, heads, keyHeads, head } = shape
  const sizes = {
    ...{ context_length: 64, vocab_size: words, embedding_length: hidden, block_count: layers },
    ...{ feed_forward_length: shape.inner, "rope.dimension_count": head },
    ...{ "attention.head_count": heads, "attention.head_count_kv": keyHeads },
  }
  const metadata = {
    "general.architecture": "llama",
    ...Object.fromEntries(Object.entries(sizes).map(([key, value]) => [`llama.${key}`, BigInt(value)])),
    "llama.attention.layer_norm_rms_epsilon": shape.epsilon,
    "llama.rope.freq_base": shape.rotary!,
  }
  const tensors = randomTensors(config, words).map(({ name, shape: own, values }): GgufTensor => {
    const file = GGUF_NAMES.reduce((sofar, [from, to]) => sofar.replace(from, to), name)
    const turned = /attn_[qk]\./.test(file) ? sideBySide(values as Float32Array, own[1]!, head) : values
    const bytes = new Uint8Array(Float32Array.from(turned).buffer)
    return { name: file, sizes: [...own].reverse(), type: 0, bytes }
  })
  await writeFile(path, gguf(metadata, tensors))
}

/** Of names in transformers those that llama.cpp gives. */
const GGUF_NAMES = [
  ["model.layers.", "blk."],
  ["self_attn.o_proj", "attn_output"],
  [/self_attn\.([qkv])_proj/, "attn_$1"],
  [/mlp\.(gate|up|down)_proj/, "ffn_$1"],
  ["post_attention_layernorm", "ffn_norm"],
  ["input_layernorm", "attn_norm"],
  ["model.embed_tokens", "token_embd"],
  ["model.norm", "output_norm"],
  ["lm_head", "output"],
] as const

/** Rows i and i + half of each head one behind the other: llama.cpp's `permute`. */
function sideBySide(values: Float32Array, columns: number, head: number): Float32Array {
  const row = (i: number) => values.subarray(i * columns, (i + 1) * columns)
  const rows = Array.from({ length: values.length / columns }, (_, i) => {
    const [first, place] = [i - (i % head), i % head]
    return row(first + Math.floor(place / 2) + (place % 2) * (head / 2))
  })
  return Float32Array.from(rows.flatMap((own) => [...own]))
}

function randomTensors(config: object, words: number, head = 1): WrittenTensor[] {
  const { shape } = configOf("config.json", config)
  const isEncoder = shape.rotary === null
  const { prefix, words: table } = NAMES[shape.family]
  const { weights, head: classifier } = pretrainedProgram(shape, isEncoder ? "classification" : "causal", [], 1, false)
  const tensors = new Map<string, WrittenTensor>()
  const put = (name: string, [rows, columns]: readonly [number, number]) => {
    const deviation = columns === 1 ? 0.1 : columns ** -0.5
    const gain = /norm\.weight$/i.test(name) ? 1 : 0
    const times = name === "lm_head.weight" ? head : 1
    const values = Float32Array.from(gaussians(1, name, rows * columns, deviation), (x) => times * (gain + x))
    tensors.set(name, { name, shape: columns === 1 ? [rows] : [rows, columns], values })
  }
  for (const [name, { shape: own }] of weights) {
    const [rows, columns] = own.map((space) => (space.name === "vocabulary" ? words : space.count)) as [number, number]
    if (!classifier.has(name)) put(name, [rows, columns])
  }
  put(`${prefix}${table}.weight`, [words, shape.hidden])
  if (isEncoder) {
    put(`${prefix}embeddings.position_embeddings.weight`, [64, shape.hidden])
    put(`${prefix}embeddings.token_type_embeddings.weight`, [2, shape.hidden])
  }
  return [...tensors.values()]
}

/** Words of the tokenizer below, in the order of their numbers. */
export const WORDS = [
  "[PAD]",
  "[UNK]",
  "[CLS]",
  "[SEP]",
  "a",
  "bad",
  "good",
  "film",
  "very",
  "##ly",
  "and",
  "dull",
  "fine",
  "!",
]

/** A small WordPiece tokenizer in the form of tokenizer.json, which closes texts as BERT does. */
export const SMALL_TOKENIZER = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [0, 1, 2, 3].map((id) => ({
    ...{ id, content: WORDS[id], single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  })),
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [
      { SpecialToken: { id: "[CLS]", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "[SEP]", type_id: 0 } },
    ],
    pair: [
      { SpecialToken: { id: "[CLS]", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "[SEP]", type_id: 0 } },
      { Sequence: { id: "B", type_id: 1 } },
      { SpecialToken: { id: "[SEP]", type_id: 1 } },
    ],
    special_tokens: {
      "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
      "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
    },
  },
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
  },
}
