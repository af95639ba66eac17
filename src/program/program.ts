import { gradient } from "./gradient.js"
import type { Factors, Layer, Step } from "./layer.js"
import { type Coefficient, type Epsilon, Node } from "./node.js"
import type { Optimiser } from "./optimiser.js"

/** One training step as a program: leaves in, the next value of each moving leaf out. */
export interface Program {
  readonly layer: Layer
  /** The factors of every adapter. */
  readonly trained: readonly Factors[]
  /** Next value of every trained and state leaf; a frozen factor has none. */
  readonly next: ReadonlyMap<Node, Node>
  /** The watched quantities, read in the same step. */
  readonly quantities: Readonly<Record<string, Node>>
  readonly loss: Node
  /** Per adapter; null for a factor that is frozen. */
  readonly gradients: readonly { readonly A: Node | null; readonly B: Node | null }[]
}

/** How a factor moves: η g is subtracted, after the factor has been multiplied by 1 − decay and by 1 − shrinkage. */
export interface Motion {
  readonly rate: Coefficient
  /** λ of decoupled weight decay: the factor loses η λ of itself in a step. */
  readonly weightDecay: number
  /** λ of Stable-LoRA: the factor loses this part of itself in a step. */
  readonly shrinkage: number
}

/**
 * The training step of a model: the gradients of all factors, the optimiser's direction, and X − η_X g_X for each.
 *
 * @param motions per adapter and factor, "frozen" for one that is not trained.
 * @throws Error if the loss does not depend on a factor that moves.
 */
export function trainingStep(
  layer: Layer,
  optimiser: Optimiser,
  epsilon: Epsilon,
  motions: readonly Readonly<Record<"A" | "B", Motion | "frozen">>[],
): Program {
  const numbered = (name: string, i: number) => (layer.adapters === 1 ? name : `${name}${i + 1}`)
  const trained = Array.from({ length: layer.adapters }, (_, i) => ({
    A: Node.leaf(numbered("A", i), "trained", ["r", "n"]),
    B: Node.leaf(numbered("B", i), "trained", ["n", "r"]),
  }))
  const loss = layer.loss(trained)
  const found = gradient(
    loss,
    trained.flatMap(({ A, B }) => [A, B]),
  )
  const next = new Map<Node, Node>()
  const gradients = trained.map((_, i) => ({ A: found[2 * i]!, B: found[2 * i + 1]! }))
  const steps = trained.map((factors, i): Step => {
    const update = (side: "A" | "B"): { change: Node; after: Node } => {
      const motion = motions[i]![side]
      const factor = factors[side]
      if (motion === "frozen") return { change: Node.zero(factor.shape), after: factor }
      return moved(factor, numbered(side, i), gradients[i]![side], motion)
    }
    const moved = (factor: Node, name: string, direction: Node | null, motion: Motion) => {
      if (direction === null) throw new Error(`the loss does not depend on ${name}`)
      const state = optimiser.state.map((part) => Node.leaf(`${name}.${part}`, "state", factor.shape))
      const result = optimiser.step(direction, state, epsilon)
      result.state.forEach((value, k) => {
        next.set(state[k]!, value)
      })
      const { rate, weightDecay, shrinkage } = motion
      let change = result.direction.scale({ ...rate, constant: -rate.constant })
      if (weightDecay > 0) change = change.plus(factor.scale({ ...rate, constant: -rate.constant * weightDecay }))
      if (shrinkage > 0) change = change.plus(factor.scale({ constant: -shrinkage, power: rate.power.times(0) }))
      const after = factor.plus(change)
      next.set(factor, after)
      return { change, after }
    }
    const [A, B] = [update("A"), update("B")]
    return { before: factors, change: { A: A.change, B: B.change }, after: { A: A.after, B: B.after } }
  })
  return { layer, trained, next, quantities: layer.quantities(steps), loss, gradients }
}
