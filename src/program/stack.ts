import { Affine } from "../exponent/affine.js"
import { adapterOutput, type Factors, type Layer, power, type Sizes } from "./layer.js"
import { Node } from "./node.js"

/**
 * L frozen layers with an adapter each: h_l = (W_l + α B_l A_l) x_{l−1}, x_l = ReLU(h_l), loss = f = ⟨w, x_L⟩.
 *
 * Written in changes, so that f − f₀ is exact however small it is: with x⁰_l the frozen network's features and Δ_l the
 * adapters' change of them, Δh_l = W_l Δ_{l−1} + zB_l and Δ_l = ReLU(h⁰_l + Δh_l) − ReLU(h⁰_l). Per layer l the
 * quantities are zA_l, b_l, zB_l and h_l, the change of the pre-activation; `f` is the change of the output.
 *
 * @param layers L ≥ 1.
 */
export function stackLayer(layers: number, { multiplier, readout, input }: Sizes): Layer {
  const x0 = Node.leaf("x0", "frozen", ["n", "one"])
  const w = Node.leaf("w", "frozen", ["n", "one"])
  const W = Array.from({ length: layers }, (_, l) => Node.leaf(`W${l + 1}`, "frozen", ["n", "n"]))
  const h: Node[] = []
  const x: Node[] = [x0]
  for (const [l, weights] of W.entries()) {
    h.push(weights.times(x[l]!))
    x.push(h[l]!.relu())
  }
  const forward = (factors: readonly Factors[]) => {
    const quantities: Record<string, Node> = {}
    let change: Node | undefined
    for (const [l, adapter] of factors.entries()) {
      const input: Node = change === undefined ? x[l]! : x[l]!.plus(change)
      const zA = adapter.A.times(input)
      const zB = adapterOutput(adapter, input, multiplier)
      const changeOfH: Node = change === undefined ? zB : W[l]!.times(change).plus(zB)
      change = changeOfH.reluChange(h[l]!)
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
      { node: w, deviation: power(readout.times(-1)) },
      ...W.map((node) => ({ node, deviation: { constant: Math.SQRT2, power: Affine.constant("-1/2") } })),
    ],
    loss: (factors) => forward(factors).f,
    quantities: (steps) => forward(steps.map(({ after }) => after)),
  }
}
