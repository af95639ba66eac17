import { Affine } from "../exponent/affine.js"
import { type Dimension, dimension, SINGLE } from "./dimension.js"
import { Node } from "./node.js"
import type { Coefficient } from "./operation.js"

/** What is minimised, as a mean over a batch of samples. */
export interface Objective {
  /**
   * "linear": Σ cᵢ fᵢ / N with frozen cᵢ = dL/dfᵢ, standard Gaussian (1 for a single sample): no step changes the
   * gradient in the output. "squared": Σ (fᵢ − yᵢ)² / 2N: the gradient is the residual, which steps shrink, let grow or
   * turn round.
   */
  readonly loss: "linear" | "squared"
  /** N ≥ 1, fixed as the width grows. */
  readonly samples: number
  /** Exponent e of the share n^(−e) of all tokens that these samples are, whose mean the loss is; 0 if left out. */
  readonly share?: Affine
}

/** A loss, and the residual f − y (1×N) whose sign a step may turn; null where the gradient in the output is frozen. */
export interface Loss {
  readonly loss: Node
  readonly residual: Node | null
}

/** A frozen tensor, and how it is drawn: the standard deviation constant · n^power of its entries. */
export interface Frozen {
  readonly node: Node
  readonly deviation: Coefficient
}

/** An objective as a program: its frozen tensors, and the loss of an output f, 1×N. */
interface ObjectiveProgram {
  readonly frozen: readonly Frozen[]
  readonly of: (f: Node) => Loss
}

/** The index space of the batch. */
export function batchSpace({ samples }: Objective): Dimension {
  return samples === 1 ? SINGLE : dimension("samples", Affine.ZERO, samples)
}

/** The program of an objective. */
export function objective(given: Objective): ObjectiveProgram {
  const { loss, samples, share } = given
  const shared = (of: Node) => (share === undefined ? of : of.scale({ constant: 1, power: share.negated }))
  const space = batchSpace(given)
  if (loss === "squared") {
    const minusY = Node.leaf("minusY", "frozen", [SINGLE, space])
    const of = (f: Node) => {
      const residual = f.plus(minusY)
      return { loss: shared(residual.times(residual.transpose()).scale(factor(1 / (2 * samples)))), residual }
    }
    return { frozen: [{ node: minusY, deviation: factor(1) }], of }
  }
  if (samples === 1) return { frozen: [], of: (f) => ({ loss: shared(f), residual: null }) }
  const gradient = Node.leaf("dLdf", "frozen", [space, SINGLE])
  return {
    frozen: [{ node: gradient, deviation: factor(1) }],
    of: (f) => ({ loss: shared(f.times(gradient).scale(factor(1 / samples))), residual: null }),
  }
}

function factor(constant: number): Coefficient {
  return { constant, power: Affine.ZERO }
}
