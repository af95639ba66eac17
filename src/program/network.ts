import { Affine } from "../exponent/affine.js"
import type { Factors, Layer } from "./layer.js"
import { Node } from "./node.js"

/**
 * The teacher-student network with an adapter on its frozen hidden layer: f = w_outᵀ φ(H + B A P), φ = ReLU, loss
 * (1/2N) Σ (f − y)². P (n×N) and H = W_h P are frozen activations, `minusY` (1×N) the negated targets.
 */
export function networkLayer(samples: number): Layer {
  const P = Node.leaf("P", "frozen", ["n", "samples"])
  const H = Node.leaf("H", "frozen", ["n", "samples"])
  const wOut = Node.leaf("wOut", "frozen", ["n", "one"])
  const minusY = Node.leaf("minusY", "frozen", ["one", "samples"])
  const mean = { constant: 1 / (2 * samples), power: Affine.ZERO }
  const zB = ({ A, B }: Factors) => B.times(A.times(P))
  return {
    name: "network",
    adapters: 1,
    spaces: { input: "n", output: "n" },
    frozen: [P, H, wOut, minusY].map((node) => ({ node, deviation: { constant: 1, power: Affine.ZERO } })),
    loss: ([factors]) => {
      const residual = wOut
        .transpose()
        .times(H.plus(zB(factors!)).activate("relu"))
        .plus(minusY)
      return { loss: residual.times(residual.transpose()).scale(mean), residual }
    },
    gradient: null,
    quantities: ([step]) => ({ zA: step!.after.A.times(P), zB: zB(step!.after) }),
  }
}
