import { Affine } from "../../exponent/affine.js"
import { type Dimension, dimension, SINGLE } from "../dimension.js"
import { type Model, type ModelExponents, power, type Site, type Watched } from "../model.js"
import { Node } from "../node.js"
import { batchSpace, type Frozen, type Objective } from "../objective.js"
import { ROTARY_BASE } from "../operation.js"

/**
 * The two block types: pre-norm with RMSNorm and SwiGLU, causal; post-norm with LayerNorm and GELU, seeing both ways.
 */
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

/** The name of the output's head, which a transformer has once, behind all blocks. */
export const HEAD = "lm_head"

/** The names of all adapted layers in the order of the pass: each block's, then the head. */
export function transformerSites({ kind, blocks, sites }: Pick<Transformer, "kind" | "blocks" | "sites">): string[] {
  const own = BLOCK_SITES[kind].filter((site) => sites.includes(site))
  return [...Array.from({ length: blocks }, () => own).flat(), ...(sites.includes(HEAD) ? [HEAD] : [])]
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

/** The layers of attention, in the order query, key, value, output. */
const ATTENTION = 4

/** What of a block's shape its forward pass needs. */
export interface BlockShape {
  readonly heads: number
  readonly keyHeads: number
  /** The base of the frequencies of rotary positions; null where queries and keys are not turned. */
  readonly rotary: number | null
  /** ε of the norms. */
  readonly epsilon: number
  /** The rows of all queries together, and of one head. */
  readonly spaces: { readonly queries: Dimension; readonly head: Dimension }
}

/** What a block asks of the model that it stands in. */
export interface BlockParts {
  /** A layer by its name in {@link BLOCK_SITES}: its frozen weights and, where it is adapted, its adapter. */
  readonly layer: (name: string, input: Node) => Node
  /** What the norm after or before a half of the block does to a normalised tensor: a gain, a shift, or nothing. */
  readonly scaled: (half: "attention" | "feedForward", normed: Node) => Node
  /** What is added to scores, keys down and queries across: nothing, or a mask of padding. */
  readonly masked: (scores: Node) => Node
}

/**
 * L blocks between an embedding x₀ with standard Gaussian entries, a column for each token, and a readout w with
 * entries n^(−o) of the last norm: f = wᵀ x, one number a token. Weights are frozen, random and without biases. Watched
 * are the first head's scores and what each block gives out. The site `lm_head` adapts the readout itself, whose output, a
 * vocabulary, does not grow.
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
  const head: Site | null = architecture.sites.includes(HEAD)
    ? { name: HEAD, tag: `[${HEAD}]`, input: n, output: SINGLE, rank }
    : null
  return {
    name: kind,
    sites: [...made.flatMap(({ sites }) => [...sites.values()]), ...(head === null ? [] : [head])],
    multiplier,
    frozen: [
      { node: x0, deviation: power(input) },
      { node: w, deviation: power(readout.negated) },
      ...made.flatMap(({ frozen }) => frozen),
    ],
    forward: (adapted) => {
      let x: Node = x0
      const shape: BlockShape = {
        heads,
        keyHeads,
        rotary: architecture.rotary ? ROTARY_BASE : null,
        epsilon: EPSILON,
        spaces: { queries: n, head: spaces.head },
      }
      const watched = made.flatMap(({ weights, sites, tag }): Watched[] => {
        const layer: BlockParts["layer"] = (name, input) => {
          const frozen = weights.get(name)!
          const own = frozen.times(input)
          const site = sites.get(name)
          return site === undefined ? own : own.plus(adapted(site, input, frozen))
        }
        const { output, scores } = BLOCKS[kind](
          x,
          { layer, scaled: (_, normed) => normed, masked: (own) => own },
          shape,
        )
        x = output
        return [
          { name: `scores${tag}`, site: null, node: scores },
          { name: `block${tag}`, site: null, node: output },
        ]
      })
      const last = kind === "llama-block" ? rmsNorm(x, EPSILON) : x
      const read = w.transpose().times(last)
      return { output: head === null ? read : read.plus(adapted(head, last)), watched }
    },
    minimises: "change",
    watchesParts: true,
    mostBases: 2,
    isDerivedBeyondBounds: false,
    mostSteps: 7,
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
  parts: BlockParts,
  shape: BlockShape,
) => { readonly output: Node /** Of the first head. */; readonly scores: Node }

/** The forward pass of each block: x in, x out. */
export const BLOCKS: Readonly<Record<BlockKind, Block>> = {
  "llama-block": (x, parts, shape) => {
    const { layer, scaled } = parts
    const { mixed, scores } = attention(
      scaled("attention", rmsNorm(x, shape.epsilon)),
      BLOCK_SITES["llama-block"],
      true,
      parts,
      shape,
    )
    const between = x.plus(layer("o", mixed))
    const normed = scaled("feedForward", rmsNorm(between, shape.epsilon))
    const gated = layer("gate", normed).activate("silu").multiply(layer("up", normed))
    return { output: between.plus(layer("down", gated)), scores }
  },
  "bert-block": (x, parts, shape) => {
    const { layer, scaled } = parts
    const { mixed, scores } = attention(x, BLOCK_SITES["bert-block"], false, parts, shape)
    const between = scaled("attention", layerNorm(x.plus(layer("dense", mixed)), shape.epsilon))
    const inner = layer("intermediate", between).activate("gelu")
    return { output: scaled("feedForward", layerNorm(between.plus(layer("output", inner)), shape.epsilon)), scores }
  },
}

/** Heads of softmax(Kᵀ Q / √(rows of a head)), keys down and queries across, each mixing its values' columns. */
function attention(
  x: Node,
  names: readonly string[],
  causal: boolean,
  { layer, masked }: BlockParts,
  { heads, keyHeads, rotary, spaces: { queries, head } }: BlockShape,
): { readonly mixed: Node; readonly scores: Node } {
  const [q, k, v] = names.slice(0, ATTENTION - 1).map((name) => layer(name, x)) as [Node, Node, Node]
  const turned = (part: Node) => (rotary === null ? part : part.rotate({ base: rotary }))
  const parts = (of: Node, count: number) =>
    Array.from({ length: count }, (_, index) => of.rowPart({ index, of: count, space: head }))
  const [keys, values] = [parts(k, keyHeads).map(turned), parts(v, keyHeads)]
  const scale = { constant: 1 / Math.sqrt(head.count), power: head.exponent.times("-1/2") }
  const own = parts(q, heads).map((part, i) => {
    const group = Math.floor((i * keyHeads) / heads)
    return { scores: keys[group]!.transpose().times(turned(part)).scale(scale), values: values[group]! }
  })
  const mixed = own
    .map(({ scores, values }, index) =>
      values.times(masked(scores).softmax({ causal })).placeRows({ index, of: heads, space: queries }),
    )
    .reduce((sum, part) => sum.plus(part))
  return { mixed, scores: own[0]!.scores }
}

/** x / √(mean of x² + ε) of each column. */
export function rmsNorm(x: Node, epsilon: number): Node {
  const { count, exponent } = x.shape[0]
  const square = x.columnDots(x).scale({ constant: 1 / count, power: exponent.negated })
  return x.scaleColumns(square.inverseRoot(epsilon))
}

/** The same of each column less its mean. */
export function layerNorm(x: Node, epsilon: number): Node {
  return rmsNorm(x.centre(), epsilon)
}
