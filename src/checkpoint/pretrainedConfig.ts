import { z } from "zod"
import { FAMILIES, type Family, type PretrainedShape } from "../program/models/pretrained.js"
import { BLOCK_SITES } from "../program/models/transformer.js"
import { ROTARY_BASE } from "../program/operation.js"
import { allowedBy, valueAt } from "./issue.js"
import { MalformedFile } from "./malformed.js"

/** A pretrained model's sizes and how its positions are counted. */
export interface PretrainedConfig {
  readonly shape: PretrainedShape
  /**
   * The number of the token that pads, where a position is counted from one behind it and padding has none (RoBERTa);
   * null where positions are counted from 0.
   */
  readonly padding: number | null
}

const Size = z.number().int().positive().max(10_000_000)
/** A program has a node for each layer and head, so that these are few. */
const Few = z.number().int().positive().max(1024)
const Real = z.number().positive().finite()

const Encoder = {
  hidden_size: Size,
  num_hidden_layers: Few,
  num_attention_heads: Few,
  intermediate_size: Size,
  layer_norm_eps: Real.default(1e-12),
  hidden_act: z.literal("gelu").default("gelu"),
  position_embedding_type: z.literal("absolute").default("absolute"),
  is_decoder: z.literal(false).default(false),
  pad_token_id: z.number().int().nonnegative().max(10_000_000).default(1),
}

const Rope = z.looseObject({
  rope_theta: Real.nullish(),
  rope_type: z.literal("default").nullish(),
  type: z.literal("default").nullish(),
})

const Decoder = {
  hidden_size: Size,
  num_hidden_layers: Few,
  num_attention_heads: Few,
  num_key_value_heads: Few.nullish(),
  head_dim: Size.nullish(),
  intermediate_size: Size,
  rms_norm_eps: Real.default(1e-6),
  hidden_act: z.literal("silu").default("silu"),
  rope_theta: Real.nullish(),
  rope_parameters: Rope.nullish(),
  rope_scaling: Rope.nullish(),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.literal(false).default(false),
  use_sliding_window: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().default(false),
}

/** What of a `config.json` decides what a model computes; other fields are of training or of the tokenizer. */
const Config = z.discriminatedUnion("model_type", [
  z.looseObject({ model_type: z.literal("bert"), ...Encoder }),
  z.looseObject({ model_type: z.literal("roberta"), ...Encoder }),
  z.looseObject({ model_type: z.literal("llama"), ...Decoder }),
  z.looseObject({ model_type: z.literal("qwen2"), ...Decoder }),
])

/**
 * What a model's `config.json` says of its sizes.
 *
 * @param path what an error calls the file.
 * @throws MalformedFile naming the field, for another family, activation, kind of positions or window, or sizes that do
 * not fit.
 */
export function configOf(path: string, given: unknown): PretrainedConfig {
  const refuse = (part: string, value: unknown, allowed: string, example: string) =>
    new MalformedFile({ file: path, byte: null, part }, value ?? null, allowed, example)
  const { quantization_config: quantised } = (given ?? {}) as { readonly quantization_config?: unknown }
  if (quantised != null)
    throw refuse("quantization_config", quantised, "none: weights in bfloat16, float16 or float32", "the model itself")
  const read = Config.safeParse(given)
  if (!read.success) {
    const [issue] = read.error.issues
    const field = issue!.path
    const value = valueAt(given, issue!)
    const part = field.join(".") || "config"
    if (part === "model_type") throw refuse(part, value, FAMILIES.join(", "), '"model_type": "llama"')
    const scaled = "without scaling of rotary positions"
    if (/^rope_.*type$/.test(part)) throw refuse(part, value, `"default": ${scaled}`, '"rope_type": "default"')
    throw refuse(part, value, allowedBy(issue!), '"hidden_size": 384')
  }
  const { data } = read
  const { hidden_size: hidden, num_attention_heads: heads } = data
  const common = {
    family: data.model_type as Family,
    layers: data.num_hidden_layers,
    heads,
    hidden,
    inner: data.intermediate_size,
  }
  const headDim = "rms_norm_eps" in data ? (data.head_dim as number | null | undefined) : null
  if (headDim == null && hidden % heads !== 0)
    throw refuse("hidden_size", hidden, `a multiple of ${heads} heads`, "384")
  const head = headDim ?? hidden / heads
  if (data.model_type === "bert" || data.model_type === "roberta") {
    const biased = BLOCK_SITES["bert-block"]
    const shape = { ...common, keyHeads: heads, head, epsilon: data.layer_norm_eps, rotary: null, biased, tied: false }
    return { shape, padding: data.model_type === "roberta" ? data.pad_token_id : null }
  }
  const keyHeads = data.num_key_value_heads ?? heads
  if (heads % keyHeads !== 0) throw refuse("num_key_value_heads", keyHeads, `a divisor of ${heads} heads`, "1")
  if (head % 2 !== 0) throw refuse("head_dim", head, "an even number: rotary positions turn pairs of rows", "64")
  const attention = ["q", "k", "v"]
  const biased = data.model_type === "qwen2" ? attention : data.attention_bias ? [...attention, "o"] : []
  const rotary = data.rope_theta ?? data.rope_parameters?.rope_theta ?? data.rope_scaling?.rope_theta ?? ROTARY_BASE
  return {
    shape: { ...common, keyHeads, head, epsilon: data.rms_norm_eps, rotary, biased, tied: data.tie_word_embeddings },
    padding: null,
  }
}
