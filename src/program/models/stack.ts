import { Affine } from "../../exponent/affine.js"
import { type Dimension, SINGLE } from "../dimension.js"
import { type Model, type ModelExponents, power, type Site } from "../model.js"
import { Node } from "../node.js"
import { batchSpace, type Objective } from "../objective.js"
import type { Activation } from "../operation.js"

/** What a network of adapted layers is made of. */
export interface Architecture {
  /** L ≥ 1. */
  readonly layers: number
  readonly activation: Activation
  /** Whether every layer adds its input to its output. */
  readonly residual: boolean
}

/** Variance of a frozen weight times the width, so that φ(W x) keeps the size of x. */
const VARIANCE: Readonly<Record<Activation, number>> = { relu: 2, tanh: 1, silu: 2.81, gelu: 2.35 }

/**
 * From this many layers on residual connections make a deep model: each layer reads a sum over all below it, whose parts
 * along products of random tensors are too many to tell apart.
 */
const DEEP_WITH_RESIDUALS = 3

/**
 * L frozen layers with an adapter each: h_l = (W_l + α B_l A_l) x_{l−1}, x_l = φ(h_l), plus x_{l−1} with residual
 * connections, and output ⟨w, x_L⟩. Per layer h_l, the pre-activation, is watched.
 */
export function stackModel(
  { layers, activation, residual }: Architecture,
  [n, rank]: readonly [Dimension, Dimension],
  { multiplier, readout, input }: ModelExponents,
  target: Objective,
): Model {
  const x0 = Node.leaf("x0", "frozen", [n, batchSpace(target)])
  const w = Node.leaf("w", "frozen", [n, SINGLE])
  const W = Array.from({ length: layers }, (_, l) => Node.leaf(`W${l + 1}`, "frozen", [n, n]))
  const tag = (l: number) => (layers === 1 ? "" : `${l + 1}`)
  const sites = W.map((_, l): Site => ({ name: `hidden${l + 1}`, tag: tag(l), input: n, output: n, rank }))
  return {
    name: "stack",
    sites,
    multiplier,
    ...(residual && layers >= DEEP_WITH_RESIDUALS ? { mostBases: 2, isDerivedBeyondBounds: false as const } : {}),
    frozen: [
      { node: x0, deviation: power(input) },
      { node: w, deviation: power(readout.negated) },
      ...W.map((node) => ({
        node,
        deviation: { constant: Math.sqrt(VARIANCE[activation]), power: Affine.constant("-1/2") },
      })),
    ],
    forward: (adapted) => {
      let x: Node = x0
      const watched = W.map((weights, l) => {
        const site = sites[l]!
        const h = weights.times(x).plus(adapted(site, x, weights))
        const own = h.activate(activation)
        x = residual ? x.plus(own) : own
        return { name: "h", site, node: h }
      })
      return { output: w.transpose().times(x), watched }
    },
    minimises: "change",
    watchesParts: false,
    gradient: null,
  }
}
