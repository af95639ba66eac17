import { Affine } from "../../exponent/affine.js"
import { type Dimension, dimension, SINGLE } from "../dimension.js"
import type { FactorNodes } from "../model.js"
import { Node } from "../node.js"
import type { Coefficient } from "../operation.js"

/** The sizes of a BERT encoder, as its config.json gives them. */
export interface BertShape {
  readonly layers: number
  readonly heads: number
  readonly hidden: number
  /** Width of the feed-forward layer. */
  readonly inner: number
  /** ε of the layer norms. */
  readonly epsilon: number
}

/** A pretrained BERT encoder that classifies a sequence, as a program: its leaves, its loss, its adapters. */
export interface BertProgram {
  /** What a sequence brings. Columns are tokens. */
  readonly given: {
    /** The sum of the token's, the position's and the segment's embedding, hidden × tokens. */
    readonly embedded: Node
    /** Added to the scores, keys × queries: 0, or a large negative number for a key that is padding. */
    readonly padding: Node
    /** 1 for the right class, else 0: classes × 1. */
    readonly label: Node
  }
  /** Fixed for a number of tokens: a row of ones, and the column that picks the first token. */
  readonly fixed: { readonly ones: Node; readonly first: Node }
  /** The frozen weights by their names in a checkpoint: matrices output × input, vectors as columns. */
  readonly weights: ReadonlyMap<string, Node>
  /** The adapters by the name of their module, such as "encoder.layer.0.attention.self.query". */
  readonly adapters: ReadonlyMap<string, FactorNodes>
  /** Cross-entropy of the sequence. */
  readonly loss: Node
}

const by = (constant: number): Coefficient => ({ constant, power: Affine.ZERO })
const space = (name: string, size: number): Dimension => dimension(name, Affine.ZERO, size)

/**
 * BERT (arXiv 1810.04805) with post-norm layers and exact GELU, its pooler and a classifier; every adapted module computes
 * W x + b + scale · B A x.
 *
 * @param sites the last part of the adapted modules' names: query, key, value, dense (all three of that name).
 * @param scale α / r, or α / √r as PEFT's rank-stabilised LoRA has it.
 */
export function bertProgram(
  { layers, heads, hidden, inner, epsilon }: BertShape,
  sites: readonly string[],
  scale: number,
): BertProgram {
  const n = space("hidden", hidden)
  const [between, head, rank] = [space("inner", inner), space("head", hidden / heads), space("rank", 1)]
  const [tokens, classes] = [space("tokens", 1), space("classes", 1)]
  const frozen = (name: string, shape: Node["shape"]) => Node.leaf(name, "frozen", shape)
  const ones = frozen("ones", [SINGLE, tokens])
  const weights = new Map<string, Node>()
  const adapters = new Map<string, FactorNodes>()
  const weight = (name: string, shape: Node["shape"]): Node => {
    const leaf = frozen(name, shape)
    weights.set(name, leaf)
    return leaf
  }
  const layer = (module: string, input: Node, output: Dimension, row: Node | null): Node => {
    const [from] = input.shape
    const bias = weight(`${module}.bias`, [output, SINGLE])
    const own = weight(`${module}.weight`, [output, from])
      .times(input)
      .plus(row === null ? bias : bias.times(row))
    if (!sites.includes(module.split(".").at(-1)!) || row === null) return own
    const A = Node.leaf(`${module}.A`, "trained", [rank, from])
    const B = Node.leaf(`${module}.B`, "trained", [output, rank])
    adapters.set(module, { A, B })
    return own.plus(B.times(A.times(input)).scale(by(scale)))
  }
  const norm = (module: string, x: Node): Node => {
    const centred = x.centre()
    const normed = centred.scaleColumns(
      centred
        .columnDots(centred)
        .scale(by(1 / hidden))
        .inverseRoot(epsilon),
    )
    const [gain, shift] = ["weight", "bias"].map((name) => weight(`${module}.${name}`, [n, SINGLE]).times(ones))
    return normed.multiply(gain!).plus(shift!)
  }
  const given = {
    embedded: frozen("embedded", [n, tokens]),
    padding: frozen("padding", [tokens, tokens]),
    label: frozen("label", [classes, SINGLE]),
  }
  const first = frozen("first", [tokens, SINGLE])
  let x = norm("embeddings.LayerNorm", given.embedded)
  for (let l = 0; l < layers; l++) {
    const module = (name: string) => `encoder.layer.${l}.${name}`
    const [q, k, v] = ["query", "key", "value"].map((name) => layer(module(`attention.self.${name}`), x, n, ones))
    const mixed = Array.from({ length: heads }, (_, index) => {
      const [query, key, value] = [q!, k!, v!].map((all) => all.rowPart({ index, of: heads, space: head }))
      const scores = key!
        .transpose()
        .times(query!)
        .scale(by(Math.sqrt(heads / hidden)))
      return value!
        .times(scores.plus(given.padding).softmax({ causal: false }))
        .placeRows({ index, of: heads, space: n })
    }).reduce((sum, part) => sum.plus(part))
    const attended = layer(module("attention.output.dense"), mixed, n, ones)
    const seen = norm(module("attention.output.LayerNorm"), x.plus(attended))
    const wide = layer(module("intermediate.dense"), seen, between, ones).activate("gelu")
    x = norm(module("output.LayerNorm"), seen.plus(layer(module("output.dense"), wide, n, ones)))
  }
  const pooled = layer("pooler.dense", x.times(first), n, null).activate("tanh")
  const logits = layer("classifier", pooled, classes, null)
  const loss = logits.logSumExp().plus(logits.columnDots(given.label).scale(by(-1)))
  return { given, fixed: { ones, first }, weights, adapters, loss }
}
