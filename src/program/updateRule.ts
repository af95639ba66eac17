import type { Dimension, Shape } from "./dimension.js"
import type { Node } from "./node.js"
import type { Epsilon } from "./operation.js"

/** An update rule as a program: from a factor's gradient, the direction g of the step −η·g and the state after it. */
export interface Optimiser {
  /** The state tensors kept per factor, all starting at zero; by a name alone, of the factor's shape. */
  readonly state: readonly (string | StateTensor)[]
  readonly step: (
    gradient: Node,
    state: readonly Node[],
    place: FactorPlace,
  ) => { readonly direction: Node; readonly state: readonly Node[] }
}

/** A state tensor of a shape of its own. */
export interface StateTensor {
  readonly name: string
  /** By the spaces of a factor, and the tensor's own shape. */
  readonly shape: (spaces: FactorSpaces, own: Shape) => Shape
}

/** The index spaces of a factor and of the other one of its adapter. */
export interface FactorSpaces {
  readonly rank: Dimension
  /** The factor's space beside the rank: the input of A, the output of B. */
  readonly own: Dimension
  /** That of the other factor. */
  readonly other: Dimension
}

/** What a rule may read besides the gradient. */
export interface FactorPlace {
  /** Adam's ε. */
  readonly epsilon: Epsilon
  /** δ of a rule that inverts a matrix made of the other factor. */
  readonly damping: Epsilon
  /** Whether the rank is the factor's rows or its columns. */
  readonly rank: "rows" | "columns"
  /** The other factor before the step; null for a tensor that is no factor. */
  readonly other: Node | null
  /** The other factor where its own step comes first: after it for the second of the two, before it for the first. */
  readonly otherInTurn: Node | null
}
