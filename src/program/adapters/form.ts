import type { Affine } from "../../exponent/affine.js"
import type { Changed } from "../changed.js"
import { type Dimension, type Shape, SINGLE } from "../dimension.js"
import type { Node } from "../node.js"
import type { Coefficient } from "../operation.js"

/** What of a site a tensor's shape depends on. */
export interface SiteSpaces {
  readonly input: Dimension
  readonly output: Dimension
  readonly rank: Dimension
}

/** A tensor that is trained beside the two factors; what is trained is its change, from zero. */
export interface Extra {
  readonly name: string
  readonly shape: (spaces: SiteSpaces) => Shape
}

/** The tensors of an adapter at one moment, by name; `before` is what is taken from the frozen weights, or zero. */
export interface ChangedFactors {
  /** r×n. */
  readonly A: Changed
  /** n×r. */
  readonly B: Changed
  /** What was added to each extra's start, from zero. */
  readonly [extra: string]: Changed
}

/** What an adapter reads at its layer. */
export interface LayerReading {
  readonly input: Node
  /** The layer's frozen weights, output × input; null where the model has no such matrix there. */
  readonly weights: Node | null
  /** The factor α of the adapter's product. */
  readonly multiplier: Affine
}

/** A kind of adapter: what it trains beside A and B, and what it adds to its layer's output. */
export interface AdapterForm {
  readonly extras: readonly Extra[]
  /** Whether it reads the layer's frozen weights. */
  readonly readsWeights: boolean
  /** As of a model: how many random tensors a part is told apart by in a derivation; all if left out. */
  readonly mostBases?: number
  /** What is added to the layer's output, zero at the start; written so that nothing cancels. */
  readonly added: (tensors: ChangedFactors, layer: LayerReading) => Node
}

/** A column with an entry for each index of a space. */
export const column = (space: Dimension): Shape => [space, SINGLE]

/** Row i of a tensor times entry i of a column. */
export function scaleRows(x: Node, by: Node): Node {
  return x.transpose().scaleColumns(by.transpose()).transpose()
}

/** Σⱼ xᵢⱼ yᵢⱼ of each row i, a column. */
export function rowDots(x: Node, y: Node): Node {
  return x.transpose().columnDots(y.transpose()).transpose()
}

/** constant · n^exponent. */
export const power = (exponent: Affine, constant = 1): Coefficient => ({ constant, power: exponent })
