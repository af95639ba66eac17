import { Affine } from "../exponent/affine.js"
import { type Coefficient, Node } from "./node.js"

/** The two factors of an adapter at one moment, or the change of them in a step. */
export interface Factors {
  /** r×n. */
  readonly A: Node
  /** n×r. */
  readonly B: Node
}

/** A step of one adapter seen from outside: the factors before it, their change, and the factors after it. */
export interface Step {
  readonly before: Factors
  readonly change: Factors
  readonly after: Factors
}

/** A model with adapters: its loss as a function of their factors, and the quantities to watch in a step. */
export interface Layer {
  readonly name: string
  /** How many adapters the model has. */
  readonly adapters: number
  /** The frozen tensors: what is drawn for each, as the standard deviation constant · n^power of its entries. */
  readonly frozen: readonly { readonly node: Node; readonly deviation: Coefficient }[]
  readonly loss: (factors: readonly Factors[]) => Node
  readonly quantities: (steps: readonly Step[]) => Readonly<Record<string, Node>>
}

/** Exponents of a model's frozen parts. */
export interface Sizes {
  /** s of the effective multiplier α = n^s. */
  readonly multiplier: Affine
  /** o of the readout, whose entries are n^(−o). */
  readonly readout: Affine
}

/** The factor n^power. */
export function power(exponent: Affine): Coefficient {
  return { constant: 1, power: exponent }
}

/**
 * The setting of [Init] section 2 with a linear loss: zA = A Z, zB = α B zA, loss = f = ⟨w, h + zB⟩ with readout
 * w = n^(−o) dZ, so that the gradient in the layer's output is w.
 *
 * Z and dZ are standard Gaussian n-vectors; h = W* Z is the frozen pre-activation, standard Gaussian given Z up to its
 * norm, so W* itself is never formed. δ¹ = α B ΔZ_A, δ² = α ΔB Z_A, δ³ = α ΔB ΔZ_A (δ¹ carries ΔZ_A); `f` is the
 * adapter's change of the output, ⟨w, zB⟩.
 */
export function adapterLayer({ multiplier, readout }: Sizes): Layer {
  const Z = Node.leaf("Z", "frozen", ["n", "one"])
  const h = Node.leaf("h", "frozen", ["n", "one"])
  const dZ = Node.leaf("dZ", "frozen", ["n", "one"])
  const w = dZ.scale(power(readout.times(-1)))
  const zA = (A: Node) => A.times(Z)
  const applied = (B: Node, v: Node) => B.times(v).scale(power(multiplier))
  return {
    name: "adapter",
    adapters: 1,
    frozen: [Z, h, dZ].map((node) => ({ node, deviation: power(Affine.ZERO) })),
    loss: ([factors]) => w.transpose().times(h.plus(applied(factors!.B, zA(factors!.A)))),
    quantities: ([step]) => {
      const { before, change, after } = step!
      const zB = applied(after.B, zA(after.A))
      return {
        zA: zA(after.A),
        b: after.B,
        zB,
        delta1: applied(before.B, zA(change.A)),
        delta2: applied(change.B, zA(before.A)),
        delta3: applied(change.B, zA(change.A)),
        f: w.transpose().times(zB),
      }
    },
  }
}
