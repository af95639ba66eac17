import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { configOf } from "../../src/checkpoint/pretrainedConfig.js"
import { type WrittenTensor, writeSafetensors } from "../../src/checkpoint/writeSafetensors.js"
import { NAMES, pretrainedProgram } from "../../src/program/models/pretrained.js"
import { gaussians } from "../../src/train/random.js"

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

/** Writes a random model of so many words into a folder, as transformers saves one; positions below 64. */
export async function writeRandomModel(folder: string, config: object, words: number): Promise<void> {
  const { shape } = configOf("config.json", config)
  const isEncoder = shape.rotary === null
  const { prefix, words: table } = NAMES[shape.family]
  const { weights, head } = pretrainedProgram(shape, isEncoder ? "classification" : "causal", [], 1, false)
  const tensors = new Map<string, WrittenTensor>()
  const put = (name: string, [rows, columns]: readonly [number, number]) => {
    const deviation = columns === 1 ? 0.1 : columns ** -0.5
    const gain = /norm\.weight$/i.test(name) ? 1 : 0
    const values = Float32Array.from(gaussians(1, name, rows * columns, deviation), (x) => gain + x)
    tensors.set(name, { name, shape: columns === 1 ? [rows] : [rows, columns], values })
  }
  for (const [name, { shape: own }] of weights) {
    const [rows, columns] = own.map((space) => (space.name === "vocabulary" ? words : space.count)) as [number, number]
    if (!head.has(name)) put(name, [rows, columns])
  }
  put(`${prefix}${table}.weight`, [words, shape.hidden])
  if (isEncoder) {
    put(`${prefix}embeddings.position_embeddings.weight`, [64, shape.hidden])
    put(`${prefix}embeddings.token_type_embeddings.weight`, [2, shape.hidden])
  }
  await writeFile(join(folder, "config.json"), JSON.stringify(config))
  await writeSafetensors(join(folder, "model.safetensors"), [...tensors.values()])
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
