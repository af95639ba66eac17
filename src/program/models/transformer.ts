import { Affine } from "../../exponent/affine.js"
import { type Dimension, dimension, SINGLE } from "../dimension.js"
import { type Model, type ModelExponents, power, type Site, type Watched } from "../model.js"
import { Node } from "../node.js"
import { batchSpace, type Frozen, type Objective } from "../objective.js"

/** The two block types: pre-norm with RMSNorm and SwiGLU, causal; post-norm with LayerNorm and GELU, seeing both ways. */
export type BlockKind = "llama-block" | "bert-block"

/** What a transformer is made of; sizes are at every width, the tokens are the batch's samples. */
export interface Transformer {
  readonly kind: BlockKind
  readonly blocks: number
  /** Heads of queries, each of n / heads rows. */
  readonly heads: number
  /** Heads of keys and values, each read by heads / keyHeads of the queries'. */
  readonly keyHeads: number
  /** The width of the feed-forward layer by n. */
  readonly feedForward: number
  /** Whether queries and keys are turned by rotary positions. */
  readonly rotary: boolean
  /** The layers with an adapter. */
  readonly sites: readonly string[]
}

/** The adapted layers of a block by their names in Llama and in BERT, in the order of the pass. */
export const BLOCK_SITES: Readonly<Record<BlockKind, readonly string[]>> = {
  "llama-block": ["q", "k", "v", "o", "gate", "up", "down"],
  "bert-block": ["query", "key", "value", "dense", "intermediate", "output"],
}

/** ε of the norms, below every mean square that a model meets. */
const EPSILON = 1e-6

/** The spaces of a transformer. */
interface Spaces {
  readonly n: Dimension
  readonly keys: Dimension
  readonly head: Dimension
  readonly inner: Dimension
}

/** A layer with a frozen matrix W of entries N(0, 1 / inputs) and, where the site is adapted, its adapter. */
type Layer = (name: string, input: Node) => Node

/**
 * L blocks between an embedding x₀ with standard Gaussian entries, a column for each token, and a readout w with entries
 * n^(−o) of the last norm: f = wᵀ x, one number a token. Weights are frozen, random and without biases. Watched are the first
 * head's scores and what each block gives out.
 */
export function transformerModel(
  architecture: Transformer,
  [n, rank]: readonly [Dimension, Dimension],
  { multiplier, readout, input }: ModelExponents,
  target: Objective,
): Model {
  const { kind, blocks, heads, keyHeads, feedForward } = architecture
  const linear = Affine.constant(1)
  const spaces: Spaces = {
    n,
    keys: keyHeads === heads ? n : dimension("nKeys", linear, keyHeads / heads),
    head: dimension("nHead", linear, 1 / heads),
    inner: dimension("nInner", linear, feedForward),
  }
  const x0 = Node.leaf("x0", "frozen", [n, batchSpace(target)])
  const w = Node.leaf("w", "frozen", [n, SINGLE])
  const made = Array.from({ length: blocks }, (_, l) => parts(architecture, spaces, rank, blocks === 1 ? "" : l + 1))
  return {
    name: kind,
    sites: made.flatMap(({ sites }) => [...sites.values()]),
    multiplier,
    frozen: [
      { node: x0, deviation: power(input) },
      { node: w, deviation: power(readout.negated) },
      ...made.flatMap(({ frozen }) => frozen),
    ],
    forward: (adapted) => {
      let x: Node = x0
      const watched = made.flatMap(({ weights, sites, tag }): Watched[] => {
        const layer: Layer = (name, input) => {
          const own = weights.get(name)!.times(input)
          const site = sites.get(name)
          return site === undefined ? own : own.plus(adapted(site, input))
        }
        const { output, scores } = BLOCKS[kind](x, layer, architecture, spaces)
        x = output
        return [
          { name: `scores${tag}`, site: null, node: scores },
          { name: `block${tag}`, site: null, node: output },
        ]
      })
      const last = kind === "llama-block" ? rmsNorm(x) : x
      return { output: w.transpose().times(last), watched }
    },
    minimises: "change",
    watchesParts: true,
    mostBases: 2,
    gradient: null,
  }
}

/** The frozen matrices of a block, and its adapted sites. */
function parts({ kind, sites }: Transformer, { n, keys, inner }: Spaces, rank: Dimension, tag: number | "") {
  const [q, k, v, o, ...rest] = BLOCK_SITES[kind] as [string, string, string, string, ...string[]]
  const down = rest.at(-1)!
  const shapes = new Map<string, readonly [Dimension, Dimension]>([
    [q, [n, n]],
    [k, [keys, n]],
    [v, [keys, n]],
    [o, [n, n]],
    ...rest.slice(0, -1).map((name) => [name, [inner, n]] as const),
    [down, [n, inner]],
  ])
  const weights = new Map([...shapes].map(([name, shape]) => [name, Node.leaf(`W${tag}[${name}]`, "frozen", shape)]))
  const frozen = [...weights.values()].map((node): Frozen => {
    const [, { count }] = node.shape
    return { node, deviation: { constant: 1 / Math.sqrt(count), power: Affine.constant("-1/2") } }
  })
  const adapted = [...shapes]
    .filter(([name]) => sites.includes(name))
    .map(([name, [output, input]]): [string, Site] => [name, { name, tag: `${tag}[${name}]`, input, output, rank }])
  return { weights, frozen, sites: new Map(adapted), tag: String(tag) }
}

type Block = (
  x: Node,
  layer: Layer,
  architecture: Transformer,
  spaces: Spaces,
) => { readonly output: Node; readonly scores: Node }

const BLOCKS: Readonly<Record<BlockKind, Block>> = {
  "llama-block": (x, layer, architecture, spaces) => {
    const seen = rmsNorm(x)
    const { mixed, scores } = attention(
      [layer("q", seen), layer("k", seen), layer("v", seen)],
      architecture,
      spaces,
      true,
    )
    const between = x.plus(layer("o", mixed))
    const normed = rmsNorm(between)
    const gated = layer("gate", normed).activate("silu").multiply(layer("up", normed))
    return { output: between.plus(layer("down", gated)), scores }
  },
  "bert-block": (x, layer, architecture, spaces) => {
    const { mixed, scores } = attention(
      [layer("query", x), layer("key", x), layer("value", x)],
      architecture,
      spaces,
      false,
    )
    const between = layerNorm(x.plus(layer("dense", mixed)))
    const inner = layer("intermediate", between).activate("gelu")
    return { output: layerNorm(between.plus(layer("output", inner))), scores }
  },
}

/** Heads of softmax(Kᵀ Q / √(rows of a head)), keys down and queries across, each mixing its values' columns. */
function attention(
  [q, k, v]: readonly [Node, Node, Node],
  { heads, keyHeads, rotary }: Transformer,
  { n, head }: Spaces,
  causal: boolean,
): { readonly mixed: Node; readonly scores: Node } {
  const turned = (x: Node) => (rotary ? x.rotate() : x)
  const scores = Array.from({ length: heads }, (_, i) => {
    const key = { index: Math.floor((i * keyHeads) / heads), of: keyHeads, space: head }
    const [query, keys] = [q.rowPart({ index: i, of: heads, space: head }), k.rowPart(key)].map(turned)
    const scale = { constant: Math.sqrt(heads), power: Affine.constant("-1/2") }
    return { product: keys!.transpose().times(query!).scale(scale), values: v.rowPart(key) }
  })
  const mixed = scores
    .map(({ product, values }, i) =>
      values.times(product.softmax({ causal })).placeRows({ index: i, of: heads, space: n }),
    )
    .reduce((sum, part) => sum.plus(part))
  return { mixed, scores: scores[0]!.product }
}

/** x / √(mean of x² + ε) of each column. */
function rmsNorm(x: Node): Node {
  const { count, exponent } = x.shape[0]
  const square = x.columnDots(x).scale({ constant: 1 / count, power: exponent.negated })
  return x.scaleColumns(square.inverseRoot(EPSILON))
}

/** The same of each column less its mean. */
function layerNorm(x: Node): Node {
  return rmsNorm(x.centre())
}
