import type { Affine } from "../exponent/affine.js"
import { type Coefficient, Node } from "./node.js"

/** The two factors of an adapter at one moment, or the change of them in a step. */
export interface Factors {
  /** r×n. */
  readonly A: Node
  /** n×r. */
  readonly B: Node
}

/** A step seen from outside: the factors before it, their change, and the factors after it. */
export interface Step {
  readonly before: Factors
  readonly change: Factors
  readonly after: Factors
}

/** A model with one adapter: its loss as a function of the factors, and the quantities to watch in a step. */
export interface Layer {
  readonly name: string
  /** The frozen tensors: what is drawn for each, as the standard deviation constant · n^power of its entries. */
  readonly frozen: readonly { readonly node: Node; readonly deviation: Coefficient }[]
  readonly loss: (factors: Factors) => Node
  readonly quantities: Readonly<Record<string, (step: Step) => Node>>
}

/**
 * The setting of [Init] section 2 with a linear loss: zA = A Z, zB = α B zA, loss = ⟨dZ̄, h + zB⟩.
 *
 * Z and dZ̄ are standard Gaussian n-vectors; h = W* Z is the frozen pre-activation, standard Gaussian given Z up to its
 * norm, so W* itself is never formed. δ¹ = α B ΔZ_A, δ² = α ΔB Z_A, δ³ = α ΔB ΔZ_A (δ¹ carries ΔZ_A).
 *
 * @param multiplier exponent s of the effective multiplier α = n^s.
 */
export function adapterLayer(multiplier: Affine): Layer {
  const Z = Node.leaf("Z", "frozen", ["n", "one"])
  const h = Node.leaf("h", "frozen", ["n", "one"])
  const dZ = Node.leaf("dZ", "frozen", ["n", "one"])
  const standard: Coefficient = { constant: 1, power: multiplier.times(0) }
  const zA = (A: Node) => A.times(Z)
  const applied = (B: Node, v: Node) => B.times(v).scale({ constant: 1, power: multiplier })
  return {
    name: "adapter",
    frozen: [Z, h, dZ].map((node) => ({ node, deviation: standard })),
    loss: ({ A, B }) => dZ.transpose().times(h.plus(applied(B, zA(A)))),
    quantities: {
      zA: ({ after }) => zA(after.A),
      b: ({ after }) => after.B,
      zB: ({ after }) => applied(after.B, zA(after.A)),
      delta1: ({ before, change }) => applied(before.B, zA(change.A)),
      delta2: ({ before, change }) => applied(change.B, zA(before.A)),
      delta3: ({ change }) => applied(change.B, zA(change.A)),
    },
  }
}
