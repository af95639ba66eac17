import { Affine } from "../exponent/affine.js"
import { adapterOutput, type Factors, type Layer, power, type Sizes } from "./layer.js"
import { type Activation, Node } from "./node.js"
import { batchSpace, type Objective, ONE_SAMPLE, objective } from "./objective.js"

/** What a network of adapted layers is made of. */
export interface Architecture {
  /** L ≥ 1. */
  readonly layers: number
  readonly activation: Activation
  /** Whether every layer adds its input to its output. */
  readonly residual: boolean
}

/** Variance of a frozen weight times the width, so that φ(W x) keeps the size of x. */
const VARIANCE: Readonly<Record<Activation, number>> = { relu: 2, tanh: 1 }

/**
 * L frozen layers with an adapter each: h_l = (W_l + α B_l A_l) x_{l−1}, x_l = φ(h_l), plus x_{l−1} with residual
 * connections, and output ⟨w, x_L⟩.
 *
 * Written in changes, so that f − f₀ is exact however small it is: with x⁰_l the frozen network's features and Δ_l the
 * adapters' change of them, Δh_l = W_l Δ_{l−1} + zB_l and Δ_l = φ(h⁰_l + Δh_l) − φ(h⁰_l), plus Δ_{l−1} with residual
 * connections. Per layer l the quantities are zA_l, b_l, zB_l and h_l, the change of the pre-activation; `f` is the
 * change of the output.
 */
export function stackLayer(
  { layers, activation, residual }: Architecture,
  { multiplier, readout, input }: Sizes,
  target: Objective = ONE_SAMPLE,
): Layer {
  const minimised = objective(target)
  const x0 = Node.leaf("x0", "frozen", ["n", batchSpace(target)])
  const w = Node.leaf("w", "frozen", ["n", "one"])
  const W = Array.from({ length: layers }, (_, l) => Node.leaf(`W${l + 1}`, "frozen", ["n", "n"]))
  const withSkip = (after: Node, before: Node | undefined) =>
    residual && before !== undefined ? before.plus(after) : after
  const h: Node[] = []
  const x: Node[] = [x0]
  for (const [l, weights] of W.entries()) {
    h.push(weights.times(x[l]!))
    x.push(withSkip(h[l]!.activate(activation), x[l]))
  }
  const output0 = w.transpose().times(x.at(-1)!)
  const forward = (factors: readonly Factors[]) => {
    const quantities: Record<string, Node> = {}
    let [input, change]: [Node, Node | undefined] = [x0, undefined]
    for (const [l, adapter] of factors.entries()) {
      const zA = adapter.A.times(input)
      const zB = adapterOutput(adapter, input, multiplier)
      const changeOfH: Node = change === undefined ? zB : W[l]!.times(change).plus(zB)
      change = withSkip(changeOfH.activationChange(h[l]!, activation), change)
      // Not x⁰ + Δ, whose leading terms cancel where tanh saturates.
      input = withSkip(h[l]!.plus(changeOfH).activate(activation), input)
      for (const [name, node] of Object.entries({ zA, b: adapter.B, zB, h: changeOfH }))
        quantities[`${name}${l + 1}`] = node
    }
    return { ...quantities, f: w.transpose().times(change!) }
  }
  return {
    name: "stack",
    adapters: layers,
    spaces: { input: "n", output: "n" },
    frozen: [
      { node: x0, deviation: power(input) },
      { node: w, deviation: power(readout.negated) },
      ...W.map((node) => ({
        node,
        deviation: { constant: Math.sqrt(VARIANCE[activation]), power: Affine.constant("-1/2") },
      })),
      ...minimised.frozen,
    ],
    loss: (factors) => {
      const { f } = forward(factors)
      // A linear loss needs the change of the output alone, which is small beside the output.
      return minimised.of(target.loss === "linear" ? f : output0.plus(f))
    },
    gradient: null,
    quantities: (steps) => forward(steps.map(({ after }) => after)),
  }
}
