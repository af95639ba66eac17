import { stat } from "node:fs/promises"
import { join } from "node:path"
import { Tokenizer } from "@huggingface/tokenizers"
import { z } from "zod"
import { MalformedFile } from "./malformed.js"
import { openCheckpoint } from "./open.js"
import { readJson } from "./readJson.js"
import type { TensorFile } from "./tensorFile.js"

/** A text as numbers of tokens. */
export interface TokenizedText {
  readonly ids: readonly number[]
  /** 0 in the first text of a pair, 1 in the second. */
  readonly segments: readonly number[]
}

/** Turns texts into numbers of tokens, with the model's own first and last ones. */
export interface TextTokenizer {
  /** @throws InputError where the tokenizer's own parts do not work on the text. */
  encode(text: string, pair?: string): TokenizedText
  /** A text that stands behind another: without first and last tokens. @throws InputError as `encode`. */
  continued(text: string): readonly number[]
  /** The text of tokens, without those that stand for nothing in a text. */
  decode(ids: readonly number[]): string
  /** The token that ends a text, where the model has one; null if not. */
  readonly end: number | null
}

const Index = z.number().int().nonnegative().max(10_000_000)
/** What is looked at before the library is given a file: it trusts these parts. */
const TokenizerFile = z.looseObject({
  model: z.looseObject({
    type: z.enum(["BPE", "WordPiece", "Unigram"]).nullish(),
    vocab: z.union([z.record(z.string(), Index), z.array(z.tuple([z.string(), z.number()]))]),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])).nullish(),
  }),
  added_tokens: z.array(z.looseObject({ id: Index, content: z.string() })).nullish(),
})

/** The longest tokenizer.json that is read, in bytes. */
const LONGEST = 100_000_000

/**
 * The tokenizer of a folder with `tokenizer.json` (and `tokenizer_config.json`), or the one within a GGUF file.
 *
 * @throws MalformedFile naming the field for a file that is broken or of a kind that is not read; InputError for none.
 */
export async function readTokenizer(path: string): Promise<TextTokenizer> {
  if (path.endsWith(".gguf")) {
    const file = await openCheckpoint(path)
    try {
      return tokenizer(path, ggufTokenizer(file), ggufSettings(file))
    } finally {
      await file.close()
    }
  }
  const place = join(path, "tokenizer.json")
  const settings = join(path, "tokenizer_config.json")
  const hasSettings = await stat(settings).then(
    () => true,
    () => false,
  )
  return tokenizer(place, await readJson(place, LONGEST), hasSettings ? await readJson(settings, LONGEST) : {})
}

function tokenizer(path: string, given: unknown, settings: unknown): TextTokenizer {
  const read = TokenizerFile.safeParse(given)
  if (!read.success) {
    const { path: field, message } = read.error.issues[0]!
    throw new MalformedFile(
      { file: path, byte: null, part: field.join(".") || "tokenizer" },
      null,
      message,
      '{"model":{"type":"BPE",…}}',
    )
  }
  if (typeof settings !== "object" || settings === null || Array.isArray(settings))
    throw new MalformedFile({ file: path, byte: null, part: "tokenizer_config.json" }, settings, "an object", "{}")
  const own = guarded(path, "tokenizer", () => new Tokenizer(read.data, settings))
  const encoded = (text: string, options: { readonly text_pair?: string; readonly add_special_tokens?: boolean }) => {
    const { ids, token_type_ids } = guarded(path, "text", () =>
      own.encode(text, { return_token_type_ids: true, ...options }),
    )
    const wrong = ids.find((id: number) => !Number.isInteger(id) || id < 0)
    if (wrong !== undefined)
      throw new MalformedFile({ file: path, byte: null, part: "text" }, wrong, "numbers of tokens", "101")
    return { ids, segments: token_type_ids ?? ids.map(() => 0) }
  }
  const alone = (text: string) => encoded(text, { add_special_tokens: false }).ids
  const front: readonly number[] = alone(FRONT)
  const end = endOf(settings, own)
  return {
    end,
    encode: (text, pair) => {
      const found = encoded(text, pair === undefined ? {} : { text_pair: pair })
      if (found.ids.length > 0) return found
      throw new MalformedFile({ file: path, byte: null, part: "text" }, "no token", "numbers of tokens", "101")
    },
    continued: (text) => {
      // Llama's puts a space in front of whatever it is given, but not behind other tokens.
      const both = alone(`${FRONT}${text}`)
      const isBehind = front.length > 0 && front.every((id, i) => both[i] === id)
      return isBehind ? both.slice(front.length) : alone(text)
    },
    decode: (ids) =>
      ids.length === 0 ? "" : guarded(path, "tokens", () => own.decode([...ids], { skip_special_tokens: true })),
  }
}

/** What a text that is continued is put behind for a while: no token spans a new line and what follows. */
const FRONT = "\n"

/** What `eos_token` of tokenizer_config.json stands for. */
function endOf(settings: object, own: Tokenizer): number | null {
  const { eos_token: token } = settings as { readonly eos_token?: string | { readonly content?: string } | null }
  const text = typeof token === "object" ? token?.content : token
  return typeof text === "string" ? (own.token_to_id(text) ?? null) : null
}

/** What the library throws names no file and no field. */
function guarded<T>(path: string, part: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new MalformedFile(
      { file: path, byte: null, part },
      String(error),
      "a tokenizer as the tokenizers library writes it",
      "tokenizer.json",
    )
  }
}

/** What of a GGUF file's tokenizer stands in tokenizer_config.json elsewhere. */
function ggufSettings({ metadata }: TensorFile): object {
  const [tokens, end] = [metadata.get("tokenizer.ggml.tokens"), metadata.get("tokenizer.ggml.eos_token_id")]
  return Array.isArray(tokens) && typeof end === "number" ? { eos_token: tokens[end] } : {}
}

/** A token that stands for nothing in a text (`LLAMA_TOKEN_TYPE_CONTROL`). */
const CONTROL = 3

/**
 * A GGUF file's byte-level tokenizer in the form of tokenizer.json.
 *
 * Source: llama.cpp's src/llama-vocab.cpp; the rule that cuts texts into words is the one of SmolLM, digits one by one.
 */
function ggufTokenizer({ path, metadata }: TensorFile): object {
  const value = (key: string) => metadata.get(`tokenizer.ggml.${key}`)
  const refuse = (key: string, given: unknown, allowed: string) =>
    new MalformedFile({ file: path, byte: null, part: `tokenizer.ggml.${key}` }, given ?? null, allowed, '"gpt2"')
  if (value("model") !== "gpt2") throw refuse("model", value("model"), "gpt2: byte-level pairs")
  if (value("pre") !== "smollm") throw refuse("pre", value("pre"), "smollm")
  if (value("add_bos_token") === true) throw refuse("add_bos_token", true, "false")
  const Strings = z.array(z.string())
  const [tokens, merges] = [Strings.safeParse(value("tokens")), Strings.safeParse(value("merges"))]
  const types = z.array(z.number()).safeParse(value("token_type"))
  if (!tokens.success) throw refuse("tokens", null, "a list of texts")
  if (!merges.success) throw refuse("merges", null, "a list of texts")
  if (!types.success || types.data.length !== tokens.data.length)
    throw refuse("token_type", null, "a number for each token")
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  return {
    model: { type: "BPE", vocab: Object.fromEntries(tokens.data.map((token, id) => [token, id])), merges: merges.data },
    added_tokens: tokens.data.flatMap((content, id) =>
      types.data[id] === CONTROL ? [{ id, content, ...special }] : [],
    ),
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Digits", individual_digits: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    normalizer: null,
    post_processor: null,
    decoder: { type: "ByteLevel" },
  }
}
