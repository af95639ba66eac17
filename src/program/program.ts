import { gradient } from "./gradient.js"
import type { Factors, Layer } from "./layer.js"
import { type Coefficient, Node } from "./node.js"
import type { Optimiser } from "./optimiser.js"

/** One training step as a program: leaves in, the next value of each trained and state leaf out. */
export interface Program {
  readonly layer: Layer
  readonly trained: Factors
  /** Next value of every trained and state leaf. */
  readonly next: ReadonlyMap<Node, Node>
  /** The watched quantities, read in the same step. */
  readonly quantities: Readonly<Record<string, Node>>
  readonly loss: Node
  readonly gradients: Factors
}

/**
 * The training step of a layer: both gradients at (A, B), the optimiser's direction, and A − η_A g_A, B − η_B g_B.
 *
 * @throws Error if the loss does not depend on a factor.
 */
export function trainingStep(
  layer: Layer,
  optimiser: Optimiser,
  rates: { readonly A: Coefficient; readonly B: Coefficient },
): Program {
  const trained = { A: Node.leaf("A", "trained", ["r", "n"]), B: Node.leaf("B", "trained", ["n", "r"]) }
  const loss = layer.loss(trained)
  const [A, B] = gradient(loss, [trained.A, trained.B])
  if (!A || !B) throw new Error("the loss does not depend on both factors")
  const gradients = { A, B }
  const next = new Map<Node, Node>()
  const update = (name: "A" | "B"): Node => {
    const factor = trained[name]
    const state = optimiser.state.map((part) => Node.leaf(`${name}.${part}`, "state", factor.shape))
    const result = optimiser.step(gradients[name], state)
    result.state.forEach((value, i) => {
      next.set(state[i]!, value)
    })
    const { constant, ...rate } = rates[name]
    const change = result.direction.scale({ ...rate, constant: -constant })
    next.set(factor, factor.plus(change))
    return change
  }
  const change = { A: update("A"), B: update("B") }
  const after = { A: next.get(trained.A)!, B: next.get(trained.B)! }
  const quantities = Object.fromEntries(
    Object.entries(layer.quantities).map(([name, read]) => [name, read({ before: trained, change, after })]),
  )
  return { layer, trained, next, quantities, loss, gradients }
}
