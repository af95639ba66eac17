import { join } from "node:path"
import { z } from "zod"
import { InputError } from "../inputError.js"
import type { BertShape } from "../program/models/bert.js"
import { MalformedFile } from "./malformed.js"
import { openCheckpoint } from "./open.js"
import { readJson } from "./readJson.js"
import type { StoredTensor } from "./tensorFile.js"

const Size = z.number().int().positive().max(10_000_000)

/** What of a BERT's `config.json` decides what it computes; other fields are of training or of the tokenizer. */
const BertConfig = z.looseObject({
  model_type: z.literal("bert"),
  hidden_size: Size,
  num_hidden_layers: Size,
  num_attention_heads: Size,
  intermediate_size: Size,
  layer_norm_eps: z.number().positive(),
  hidden_act: z.literal("gelu"),
  position_embedding_type: z.literal("absolute").default("absolute"),
})

/** A pretrained BERT encoder in memory. */
export interface BertEncoder {
  readonly shape: BertShape
  /** A weight by its name without the prefix "bert.", row by row; @throws InputError where it is missing or of another size. */
  weight(name: string, size: readonly number[]): Promise<Float32Array>
  /** The tables of embeddings, a row for each token of the vocabulary, each position and each segment. */
  readonly tables: Readonly<Record<"words" | "positions" | "segments", Float32Array>>
}

/**
 * Opens a folder with a BERT's `config.json` and weights.
 *
 * @throws MalformedFile naming the field for another kind of model or activation; InputError for a weight that is missing.
 */
export async function readBert(folder: string): Promise<{ readonly encoder: BertEncoder; close(): Promise<void> }> {
  const path = join(folder, "config.json")
  const shape = shapeOf(path, await readJson(path, 10_000_000))
  const file = await openCheckpoint(folder)
  const stored = (name: string): StoredTensor => {
    const found = file.tensors.get(name) ?? file.tensors.get(`bert.${name}`)
    if (found !== undefined) return found
    throw new InputError({
      field: file.path,
      given: `no tensor ${name}`,
      allowed: "every weight of a BERT",
      example: name,
    })
  }
  const weight = async (name: string, size: readonly number[]) => {
    const found = stored(name)
    const wide = (of: readonly number[]) => of.filter((each) => each !== 1).join("×")
    if (wide(found.shape) === wide(size)) return found.read()
    const part = `shape of "${name}"`
    throw new MalformedFile({ file: file.path, byte: found.byte, part }, found.shape, size.join("×"), "…")
  }
  const table = async (name: string) => {
    const found = stored(`embeddings.${name}.weight`)
    return weight(`embeddings.${name}.weight`, [found.shape[0]!, shape.hidden])
  }
  try {
    const [words, positions, segments] = await Promise.all(
      ["word_embeddings", "position_embeddings", "token_type_embeddings"].map(table),
    )
    const tables = { words: words!, positions: positions!, segments: segments! }
    return { encoder: { shape, weight, tables }, close: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
}

function shapeOf(path: string, given: unknown): BertShape {
  const read = BertConfig.safeParse(given)
  if (!read.success) {
    const { path: field, message } = read.error.issues[0]!
    const value = (given as Record<PropertyKey, unknown> | null)?.[field[0] ?? ""]
    const part = field.join(".") || "config"
    throw new MalformedFile({ file: path, byte: null, part }, value ?? null, message, '"model_type": "bert"')
  }
  const { data } = read
  const [hidden, heads] = [data.hidden_size, data.num_attention_heads]
  if (hidden % heads !== 0)
    throw new MalformedFile(
      { file: path, byte: null, part: "hidden_size" },
      hidden,
      `a multiple of ${heads} heads`,
      "384",
    )
  return {
    layers: data.num_hidden_layers,
    heads,
    hidden,
    inner: data.intermediate_size,
    epsilon: data.layer_norm_eps,
  }
}
