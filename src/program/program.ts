import { gradient } from "./gradient.js"
import type { Factors, Layer, Step } from "./layer.js"
import { type Coefficient, type Epsilon, Node } from "./node.js"
import type { Optimiser } from "./optimiser.js"

/** One training step as a program: leaves in, the next value of each moving leaf out. */
export interface Program {
  readonly layer: Layer
  /** Per adapter the leaves that the factors' starts are drawn in: trained, or frozen where the start is subtracted. */
  readonly starts: readonly Factors[]
  /** Next value of every trained and state leaf; a frozen factor has none. */
  readonly next: ReadonlyMap<Node, Node>
  /** The watched quantities, read in the same step. */
  readonly quantities: Readonly<Record<string, Node>>
  /** The sums over a width behind those quantities that are one: a matrix product each. */
  readonly alignments: Readonly<Record<string, Alignment>>
  readonly loss: Node
  /** f − y where the gradient depends on the output, else null. */
  readonly residual: Node | null
  /** Per adapter; null for a factor that is frozen. */
  readonly gradients: readonly { readonly A: Node | null; readonly B: Node | null }[]
}

/** A sum over the width, whose size beside its factors' says how aligned these are. */
export interface Alignment {
  readonly product: Node
  readonly left: Node
  readonly right: Node
}

/** How a factor moves: η g is subtracted, after the factor has been multiplied by 1 − decay and by 1 − shrinkage. */
export interface Motion {
  readonly rate: Coefficient
  /** λ of decoupled weight decay: the factor loses η λ of itself in a step. */
  readonly weightDecay: number
  /** λ of Stable-LoRA: the factor loses this part of itself in a step. */
  readonly shrinkage: number
}

/** How the factors' starts enter a program. */
export interface StartRule {
  /**
   * Whether B₀A₀ is taken from the frozen weights, so that the adapter starts at no change: A₀ and B₀ are then frozen and
   * what is added to them is trained from zero.
   */
  readonly subtracted: boolean
  /** Whether A₀ = a Zᵀ, B₀ = dZ b for drawn coordinates a and b: the first gradient's own directions. Only if subtracted. */
  readonly along: Readonly<Record<"A" | "B", boolean>>
}

/**
 * The training step of a model: the gradients of all factors, the optimiser's direction, and X − η_X g_X for each.
 *
 * @param start see {@link StartRule}.
 * @param motions per adapter and factor, "frozen" for one that is not trained.
 * @param clip the bound on the joint norm of the gradients of all factors that move, which the optimiser sees clipped to it;
 * null for none.
 * @throws Error if the loss does not depend on a factor that moves.
 */
export function trainingStep(
  layer: Layer,
  optimiser: Optimiser,
  epsilon: Epsilon,
  start: StartRule,
  motions: readonly Readonly<Record<"A" | "B", Motion | "frozen">>[],
  clip: Coefficient | null = null,
): Program {
  const numbered = (name: string, i: number) => (layer.adapters === 1 ? name : `${name}${i + 1}`)
  const { input, output } = layer.spaces
  const leaves = (prefix: string, role: "frozen" | "trained", i: number): Factors => ({
    A: Node.leaf(`${prefix}${numbered("A", i)}`, role, ["r", input]),
    B: Node.leaf(`${prefix}${numbered("B", i)}`, role, [output, "r"]),
  })
  const indices = Array.from({ length: layer.adapters }, (_, i) => i)
  const starts = indices.map((i) => {
    const { A, B } = leaves("", start.subtracted ? "frozen" : "trained", i)
    const { gradient } = layer
    /** A factor's drawn leaf and its start: the leaf itself, or the gradient's directions with the leaf as coordinates. */
    const along = (side: "A" | "B", leaf: Node) => {
      if (gradient === null || !start.along[side]) return { drawn: leaf, factor: leaf }
      const direction = gradient[side]
      const [, space] = direction.shape
      const drawn = Node.leaf(numbered(side, i), "frozen", side === "A" ? ["r", space] : [space, "r"])
      return { drawn, factor: side === "A" ? drawn.times(direction.transpose()) : direction.times(drawn) }
    }
    const [a, b] = [along("A", A), along("B", B)]
    return { drawn: { A: a.drawn, B: b.drawn }, factors: { A: a.factor, B: b.factor } }
  })
  const trained = start.subtracted
    ? indices.map((i) => leaves("moved ", "trained", i))
    : starts.map(({ drawn }) => drawn)
  const factorsAt = (i: number, moved: Factors): Factors => {
    if (!start.subtracted) return moved
    const { factors } = starts[i]!
    return { A: factors.A.plus(moved.A), B: factors.B.plus(moved.B), parts: { start: factors, moved } }
  }
  const { loss, residual } = layer.loss(trained.map((factors, i) => factorsAt(i, factors)))
  const found = gradient(
    loss,
    trained.flatMap(({ A, B }) => [A, B]),
  )
  const next = new Map<Node, Node>()
  const gradients = trained.map((_, i) => ({ A: found[2 * i]!, B: found[2 * i + 1]! }))
  const seen = clip === null ? (own: Node) => own : clippedTo(clip, moving(gradients, motions))
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
      const result = optimiser.step(seen(direction), state, epsilon)
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
    return {
      before: factorsAt(i, factors),
      change: { A: A.change, B: B.change },
      after: factorsAt(i, { A: A.after, B: B.after }),
    }
  })
  const quantities = layer.quantities(steps)
  return {
    layer,
    starts: starts.map(({ drawn }) => drawn),
    next,
    quantities,
    alignments: alignmentsOf(quantities),
    loss,
    residual,
    gradients,
  }
}

/** The gradients of the factors that are trained. */
function moving(
  gradients: Program["gradients"],
  motions: readonly Readonly<Record<"A" | "B", Motion | "frozen">>[],
): Node[] {
  return gradients.flatMap((pair, i) =>
    (["A", "B"] as const).flatMap((side) => {
      const own = pair[side]
      return own === null || motions[i]![side] === "frozen" ? [] : [own]
    }),
  )
}

/** Clips a gradient by the joint norm of all. */
function clippedTo(bound: Coefficient, all: readonly Node[]): (own: Node) => Node {
  const norm = Node.norm(all)
  return (own) => own.clip(norm, bound)
}

function alignmentsOf(quantities: Readonly<Record<string, Node>>): Record<string, Alignment> {
  return Object.fromEntries(
    Object.entries(quantities).flatMap(([name, product]) => {
      const { operation } = product
      if (operation.op !== "matmul" || !["n", "nIn"].includes(operation.left.shape[1])) return []
      return [[`alignment(${name})`, { product, left: operation.left, right: operation.right }]]
    }),
  )
}
