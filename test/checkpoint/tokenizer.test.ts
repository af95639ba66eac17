import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { readTokenizer } from "../../src/checkpoint/tokenizer.js"
import { SMALL_TOKENIZER } from "./randomModel.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tokenizer-"))
})
afterAll(() => rm(folder, { recursive: true }))

const numbered = (tokens: readonly string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]))
const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
const COMMON = { version: "1.0", truncation: null, padding: null, post_processor: null }

/** As Llama 2's: a space is put in front of every text, and a new line is a byte. */
const LLAMA_WORDS = ["<unk>", "<s>", "</s>", "<0x0A>", "▁", "A", "B", "3", "▁A", "▁B", "▁3", "▁▁"]
const LLAMA = {
  ...COMMON,
  added_tokens: ["<unk>", "<s>", "</s>"].map((content, id) => ({ id, content, ...special })),
  normalizer: {
    type: "Sequence",
    normalizers: [
      { type: "Prepend", prepend: "▁" },
      { type: "Replace", pattern: { String: " " }, content: "▁" },
    ],
  },
  pre_tokenizer: null,
  decoder: null,
  model: {
    ...{ type: "BPE", unk_token: "<unk>", fuse_unk: true, byte_fallback: true },
    vocab: numbered(LLAMA_WORDS),
    merges: ["▁ A", "▁ B", "▁ 3", "▁ ▁"],
  },
}

/** As GPT-2's and SmolLM2's: a space is part of the word behind it. */
const GPT_WORDS = ["A", "B", "3", "Ċ", "Ġ", "ĠA", "ĠB", "Ġ3"]
const GPT = {
  ...COMMON,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  decoder: { type: "ByteLevel" },
  model: { type: "BPE", vocab: numbered(GPT_WORDS), merges: ["Ġ A", "Ġ B", "Ġ 3"] },
}

test.each([
  ["Llama's", LLAMA, LLAMA_WORDS, ["▁A"], ["▁A"], ["3"]],
  ["GPT-2's", GPT, GPT_WORDS, ["A"], ["ĠA"], ["3"]],
  ["BERT's", SMALL_TOKENIZER, Object.keys(SMALL_TOKENIZER.model.vocab), ["[CLS]", "a", "[SEP]"], ["a"], ["[UNK]"]],
] as const)(
  "by %s tokens a text that stands behind another has the space that it has, and no other",
  async (_, file, words, alone, behind, number) => {
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify(file))
    const tokenizer = await readTokenizer(folder)
    const told = (ids: readonly number[]) => ids.map((id) => words[id])
    expect(told(tokenizer.encode("A").ids)).toEqual(alone)
    expect(told(tokenizer.continued(" A"))).toEqual(behind)
    expect(told(tokenizer.continued("3"))).toEqual(number)
    expect(tokenizer.continued("")).toEqual([])
  },
)
