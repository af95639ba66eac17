import { Affine } from "../../exponent/affine.js"
import { type Dimension, dimension, SINGLE } from "../dimension.js"
import type { FactorNodes } from "../model.js"
import { Node } from "../node.js"
import type { Coefficient } from "../operation.js"
import { BLOCKS, type BlockKind, type BlockParts, type BlockShape, layerNorm, rmsNorm } from "./transformer.js"

/** The families of pretrained models whose forward pass is known, by `model_type` of their config.json. */
export const FAMILIES = ["bert", "roberta", "llama", "qwen2"] as const
export type Family = (typeof FAMILIES)[number]

/** The sizes of a pretrained model, as its config.json gives them. */
export interface PretrainedShape {
  readonly family: Family
  readonly layers: number
  readonly heads: number
  /** Heads of keys and values, each read by heads / keyHeads of the queries'. */
  readonly keyHeads: number
  readonly hidden: number
  /** Rows of a head. */
  readonly head: number
  /** Width of the feed-forward layer. */
  readonly inner: number
  /** ε of the norms. */
  readonly epsilon: number
  /** The base of rotary positions; null where positions are embedded. */
  readonly rotary: number | null
  /** The layers of a block that have a bias, by their names in `BLOCK_SITES`. */
  readonly biased: readonly string[]
  /** Whether the words' table reads the output too. */
  readonly tied: boolean
}

/** What a model is trained for: the next token, or a class of the whole sequence. */
export type Head = "causal" | "classification"

/** How a family names the parts of its model, after its prefix. */
interface Names {
  readonly kind: BlockKind
  readonly prefix: string
  readonly layer: (l: number) => string
  /** A block's layers by their names in `BLOCK_SITES`, and its norms. */
  readonly layers: Readonly<Record<string, string>>
  readonly norms: Readonly<Record<"attention" | "feedForward", string>>
  readonly words: string
  /**
   * The layers behind the last block that read a class, with their names in the whole model; all but the last through
   * tanh.
   */
  readonly classifier: readonly string[]
  readonly classifierBias: boolean
}

const ENCODER: Omit<Names, "prefix" | "classifier"> = {
  kind: "bert-block",
  layer: (l) => `encoder.layer.${l}.`,
  layers: {
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    dense: "attention.output.dense",
    intermediate: "intermediate.dense",
    output: "output.dense",
  },
  norms: { attention: "attention.output.LayerNorm", feedForward: "output.LayerNorm" },
  words: "embeddings.word_embeddings",
  classifierBias: true,
}

const DECODER: Names = {
  kind: "llama-block",
  prefix: "model.",
  layer: (l) => `layers.${l}.`,
  layers: {
    q: "self_attn.q_proj",
    k: "self_attn.k_proj",
    v: "self_attn.v_proj",
    o: "self_attn.o_proj",
    gate: "mlp.gate_proj",
    up: "mlp.up_proj",
    down: "mlp.down_proj",
  },
  norms: { attention: "input_layernorm", feedForward: "post_attention_layernorm" },
  words: "embed_tokens",
  classifier: ["score"],
  classifierBias: false,
}

/** Names as in transformers' models, which checkpoints have too. */
export const NAMES: Readonly<Record<Family, Names>> = {
  bert: { ...ENCODER, prefix: "bert.", classifier: ["bert.pooler.dense", "classifier"] },
  roberta: { ...ENCODER, prefix: "roberta.", classifier: ["classifier.dense", "classifier.out_proj"] },
  llama: DECODER,
  qwen2: DECODER,
}

/** The factors of an adapted module and what it reads, input × tokens. */
export interface AdaptedModule extends FactorNodes {
  readonly input: Node
}

/** A pretrained model with adapters and a loss, as a program. Columns are tokens. */
export interface PretrainedProgram {
  /** What a sequence brings. */
  readonly given: {
    /** What goes into the first block, before its norm where the embedding has one: hidden × tokens. */
    readonly embedded: Node
    /** Of each key 0, or a large negative number where it is padding, tokens × 1; null where no mask is asked for. */
    readonly padding: Node | null
    /**
     * Of the next token's class, or of the class: the row of the output's table, hidden × tokens, or 1 for the class,
     * classes × 1.
     */
    readonly label: Node
    /** What each token's loss counts, tokens × 1; of a class 1 × 1. */
    readonly weight: Node
    /** 1 for the token that is classified, or behind which another is told, tokens × 1. */
    readonly picked: Node
  }
  /** A row of ones, a token each. */
  readonly ones: Node
  /**
   * What the blocks below the first adapted one give, which no step changes: how it is computed, and the leaf that
   * stands for it in all else; null where the first block is adapted.
   */
  readonly lower: { readonly computed: Node; readonly leaf: Node } | null
  /** The frozen weights by their names in a checkpoint: matrices output × input, vectors as columns. */
  readonly weights: ReadonlyMap<string, Node>
  /** Of these, the weights of the layer that classifies: no pretrained checkpoint has them. */
  readonly head: ReadonlySet<string>
  /** The adapters by the name of their module in the whole model, as PEFT has it. */
  readonly adapters: ReadonlyMap<string, AdaptedModule>
  /** Of the picked token: the classes' logits, or those of the token behind it, a column. */
  readonly logits: Node
  /** The weighted sum of the cross-entropies. */
  readonly loss: Node
}

const by = (constant: number): Coefficient => ({ constant, power: Affine.ZERO })
const space = (name: string, size: number): Dimension => dimension(name, Affine.ZERO, size)

/**
 * BERT (arXiv 1810.04805), RoBERTa, Llama (arXiv 2302.13971) or Qwen2 with a head, every adapted module computing
 * W x + b + scale · B A x. Dropout is left out.
 *
 * @param sites the last part of the adapted modules' names, as PEFT's `target_modules`: query, dense, q_proj, ….
 * @param scale α / r, or α / √r as PEFT's rank-stabilised LoRA has it.
 * @param padded whether keys are masked.
 * @param blocks the blocks with adapted modules, as PEFT's `layers_to_transform`; null for all, and for modules
 * outside of blocks.
 */
export function pretrainedProgram(
  shape: PretrainedShape,
  head: Head,
  sites: readonly string[],
  scale: number,
  padded: boolean,
  blocks: ReadonlySet<number> | null = null,
): PretrainedProgram {
  const { family, hidden, heads, keyHeads, epsilon } = shape
  const names = NAMES[family]
  const n = space("hidden", hidden)
  const wide = (name: string, size: number) => (size === hidden ? n : space(name, size))
  const [queries, keys] = [wide("queries", heads * shape.head), wide("keys", keyHeads * shape.head)]
  const inner = space("inner", shape.inner)
  const [rank, tokens, classes, vocabulary] = ["rank", "tokens", "classes", "vocabulary"].map((name) => space(name, 1))
  const frozen = (name: string, own: Node["shape"]) => Node.leaf(name, "frozen", own)
  const ones = frozen("ones", [SINGLE, tokens!])
  const weights = new Map<string, Node>()
  const adapters = new Map<string, AdaptedModule>()
  const weight = (name: string, own: Node["shape"]): Node => {
    const leaf = weights.get(name) ?? frozen(name, own)
    weights.set(name, leaf)
    return leaf
  }
  const everyToken = (column: Node) => column.times(ones)
  /** @param at the block that it stands in; null behind the last one. */
  const layer = (module: string, input: Node, output: Dimension, biased: boolean, at: number | null): Node => {
    const [from, columns] = input.shape
    let own = weight(`${module}.weight`, [output, from]).times(input)
    if (biased) {
      const bias = weight(`${module}.bias`, [output, SINGLE])
      own = own.plus(columns === tokens ? everyToken(bias) : bias)
    }
    const isAdapted = blocks === null || (at !== null && blocks.has(at))
    if (!isAdapted || !sites.includes(module.split(".").at(-1)!)) return own
    const A = Node.leaf(`${module}.A`, "trained", [rank!, from])
    const B = Node.leaf(`${module}.B`, "trained", [output, rank!])
    adapters.set(module, { A, B, input })
    return own.plus(B.times(A.times(input)).scale(by(scale)))
  }
  const isEncoder = names.kind === "bert-block"
  const scaled = (module: string, normed: Node): Node => {
    const gained = normed.multiply(everyToken(weight(`${module}.weight`, [n, SINGLE])))
    return isEncoder ? gained.plus(everyToken(weight(`${module}.bias`, [n, SINGLE]))) : gained
  }
  const embedded = frozen("embedded", [n, tokens!])
  const padding = padded ? frozen("padding", [tokens!, SINGLE]) : null
  const outputs: Readonly<Record<string, Dimension>> = {
    ...{ query: queries, key: keys, value: keys, dense: n, intermediate: inner, output: n },
    ...{ q: queries, k: keys, v: keys, o: n, gate: inner, up: inner, down: n },
  }
  const block: BlockShape = {
    heads,
    keyHeads,
    epsilon,
    rotary: shape.rotary,
    spaces: { queries, head: space("head", shape.head) },
  }
  let x = isEncoder ? scaled(`${names.prefix}embeddings.LayerNorm`, layerNorm(embedded, epsilon)) : embedded
  let lower: PretrainedProgram["lower"] = null
  const first = blocks === null ? 0 : Math.min(...blocks)
  for (let l = 0; l < shape.layers; l++) {
    if (l === first && l > 0) {
      lower = { computed: x, leaf: frozen("lower", x.shape) }
      x = lower.leaf
    }
    const module = (name: string) => `${names.prefix}${names.layer(l)}${name}`
    const parts: BlockParts = {
      layer: (name, input) => layer(module(names.layers[name]!), input, outputs[name]!, shape.biased.includes(name), l),
      scaled: (half, normed) => scaled(module(names.norms[half]), normed),
      masked: (scores) => (padding === null ? scores : scores.plus(everyToken(padding))),
    }
    x = BLOCKS[names.kind](x, parts, block).output
  }
  if (!isEncoder) x = scaled(`${names.prefix}norm`, rmsNorm(x, epsilon))
  const picked = frozen("picked", [tokens!, SINGLE])
  if (head === "causal") {
    const table = shape.tied ? `${names.prefix}${names.words}` : "lm_head"
    const label = frozen("label", [n, tokens!])
    const own = frozen("weight", [tokens!, SINGLE])
    // The label's logit is the product with its row of the table.
    const reading = weight(`${table}.weight`, [vocabulary!, n])
    const losses = reading
      .times(x)
      .logSumExp()
      .plus(x.columnDots(label).scale(by(-1)))
    const logits = reading.times(x.times(picked))
    const given = { embedded, padding, label, weight: own, picked }
    return { given, ones, lower, weights, head: new Set(), adapters, logits, loss: losses.times(own) }
  }
  const label = frozen("label", [classes!, SINGLE])
  const own = frozen("weight", [SINGLE, SINGLE])
  const before = new Set(weights.keys())
  let read = x.times(picked)
  names.classifier.forEach((module, i) => {
    const isLast = i === names.classifier.length - 1
    read = layer(module, read, isLast ? classes! : n, names.classifierBias, null)
    if (!isLast) read = read.activate("tanh")
  })
  const loss = read
    .logSumExp()
    .plus(read.columnDots(label).scale(by(-1)))
    .times(own)
  const added = [...weights.keys()].filter((name) => !before.has(name) && !name.startsWith(names.prefix))
  return {
    given: { embedded, padding, label, weight: own, picked },
    ones,
    lower,
    weights,
    head: new Set(added),
    adapters,
    logits: read,
    loss,
  }
}
