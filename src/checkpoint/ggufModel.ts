/** Models in GGUF files: sizes in the metadata, tensors under names of their own. */
import type { Family } from "../program/models/pretrained.js"
import { MalformedFile } from "./malformed.js"
import { configOf, type PretrainedConfig } from "./pretrainedConfig.js"
import type { MetadataValue, TensorFile } from "./tensorFile.js"

/** Where a tensor of the whole model lies in a file, and what is done to its values after they are read. */
export interface TensorPlaces {
  /** The name in the file, or null where it has none. */
  readonly nameOf: (name: string) => string | null
  readonly settled: (name: string, values: Float32Array) => Float32Array
}

/**
 * Parts of a block and of the model by their names in transformers, as llama.cpp's gguf-py/gguf/tensor_mapping.py names
 * them.
 */
const PARTS: Readonly<Record<string, string>> = {
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
  input_layernorm: "attn_norm",
  post_attention_layernorm: "ffn_norm",
}
const WHOLE: Readonly<Record<string, string>> = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
}

/**
 * What a GGUF file of a Llama or Qwen2 model says of its sizes, and where its tensors are.
 *
 * @throws MalformedFile naming the key for another architecture, scaled rotary positions, or sizes that do not fit.
 */
export function ggufModel(file: TensorFile): { readonly config: PretrainedConfig; readonly places: TensorPlaces } {
  const { metadata, tensors } = file
  const architecture = metadata.get("general.architecture")
  const refuse = (part: string, given: MetadataValue | undefined, allowed: string) =>
    new MalformedFile({ file: file.path, byte: null, part }, given ?? null, allowed, '"llama"')
  if (architecture !== "llama" && architecture !== "qwen2")
    throw refuse("general.architecture", architecture, "llama or qwen2")
  const value = (key: string) => metadata.get(`${architecture}.${key}`)
  const scaling = value("rope.scaling.type")
  if (tensors.has("rope_freqs.weight") || (scaling !== undefined && scaling !== "none"))
    throw refuse("rope.scaling.type", scaling, "rotary positions without scaling")
  const biased = tensors.has("blk.0.attn_q.bias")
  const config = configOf(file.path, {
    model_type: architecture satisfies Family,
    hidden_size: value("embedding_length"),
    num_hidden_layers: value("block_count"),
    num_attention_heads: value("attention.head_count"),
    num_key_value_heads: value("attention.head_count_kv"),
    head_dim: value("attention.key_length"),
    intermediate_size: value("feed_forward_length"),
    rms_norm_eps: value("attention.layer_norm_rms_epsilon"),
    rope_theta: value("rope.freq_base"),
    attention_bias: biased,
    tie_word_embeddings: !tensors.has("output.weight"),
  })
  const { heads, keyHeads, head } = config.shape
  return {
    config,
    places: {
      nameOf: (name) => {
        const found = ggufName(name)
        return found !== null && tensors.has(found) ? found : null
      },
      settled: (name, values) => {
        if (architecture !== "llama") return values
        if (/\.q_proj\./.test(name)) return halvesApart(values, heads, head)
        return /\.k_proj\./.test(name) ? halvesApart(values, keyHeads, head) : values
      },
    },
  }
}

function ggufName(name: string): string | null {
  const [, module, kind] = /^(.+)\.(weight|bias)$/.exec(name) ?? []
  if (module === undefined) return null
  const [, l, part] = /^model\.layers\.(\d+)\.(.+)$/.exec(module) ?? []
  const own = part === undefined ? WHOLE[module] : PARTS[part] === undefined ? undefined : `blk.${l}.${PARTS[part]}`
  return own === undefined ? null : `${own}.${kind}`
}

/**
 * Rows of heads in the order of transformers: rows that are turned together lie half a head apart. In files of the
 * architecture llama they lie side by side (llama.cpp's `permute`).
 */
function halvesApart(values: Float32Array, heads: number, head: number): Float32Array {
  const [result, width] = [new Float32Array(values.length), values.length / (heads * head)]
  for (let h = 0; h < heads; h++)
    for (let i = 0; i < head; i++) {
      const from = h * head + (i % (head / 2)) * 2 + Math.floor(i / (head / 2))
      result.set(values.subarray(from * width, (from + 1) * width), (h * head + i) * width)
    }
  return result
}
