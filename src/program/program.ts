import type { ChangedFactors } from "./adapters/form.js"
import { fromZero } from "./changed.js"
import { grows } from "./dimension.js"
import { gradient } from "./gradient.js"
import { changedForward, type FactorNodes, type Model, plainOutput, type Site, type TrainedNodes } from "./model.js"
import { isNeverFormed, Node } from "./node.js"
import { type Frozen, type Loss, type Objective, objective } from "./objective.js"
import type { Coefficient, Epsilon } from "./operation.js"
import { type AdapterStep, quantitiesOf, type StepParts } from "./quantities.js"
import { type Saturation, saturationsOf } from "./saturation.js"
import type { FactorPlace, FactorSpaces, Optimiser } from "./updateRule.js"

/** One training step as a program: leaves in, the next value of each moving leaf out. */
export interface Program {
  readonly model: Model
  /** The frozen tensors of the model and of its objective. */
  readonly frozen: readonly Frozen[]
  /** Per site the leaves that the factors' starts are drawn in: trained, or frozen where the start is subtracted. */
  readonly starts: readonly FactorNodes[]
  /** Next value of every trained and state leaf; a frozen factor has none. */
  readonly next: ReadonlyMap<Node, Node>
  /** The watched quantities, read in the same step. */
  readonly quantities: Readonly<Record<string, Node>>
  /** Per site the quantities that are a step's change of zB, and each factor's own part; none where not watched. */
  readonly parts: readonly StepParts[]
  /** The sums over a width behind those quantities that are one: a matrix product each. */
  readonly alignments: Readonly<Record<string, WidthSum>>
  /** The functions behind the quantities that saturate. */
  readonly saturations: Readonly<Record<string, Saturation>>
  readonly loss: Node
  /** f − y where the gradient depends on the output, else null. */
  readonly residual: Node | null
  /** Per adapter and trained tensor, by name; null for one that the loss does not depend on. */
  readonly gradients: readonly Gradients[]
}

/** The gradients in an adapter's trained tensors. */
export interface Gradients {
  readonly A: Node | null
  readonly B: Node | null
  readonly [extra: string]: Node | null
}

/** A sum over the width, whose size beside its factors' says how aligned these are. */
export interface WidthSum {
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
   * Whether B₀A₀ is taken from the frozen weights, so that the adapter starts at no change: A₀ and B₀ are then frozen
   * and what is added to them is trained from zero.
   */
  readonly subtracted: boolean
  /**
   * Whether A₀ = a Zᵀ, B₀ = dZ b for drawn coordinates a and b: the first gradient's own directions. What is added to
   * such a start is trained from zero too.
   */
  readonly along: Readonly<Record<"A" | "B", boolean>>
}

/** How a model is trained. */
export interface Training {
  readonly objective: Objective
  /** The update rule of each trained tensor of an adapter, by name. */
  readonly optimisers: Readonly<Record<string, Optimiser>>
  readonly epsilon: Epsilon
  /** δ of the rules that invert a matrix made of the other factor. */
  readonly damping: Epsilon
  readonly start: StartRule
  /** Per site and tensor, by name; "frozen" for a factor that is not trained. */
  readonly motions: readonly Readonly<Record<string, Motion | "frozen">>[]
  /**
   * The bound on the joint norm of the gradients of all factors that move, which the optimiser sees clipped to it; null
   * for none.
   */
  readonly clip: Coefficient | null
}

/**
 * The training step of a model: the gradients of all factors, the optimiser's direction, and X − η_X g_X for each.
 *
 * @throws Error if the loss does not depend on a factor that moves.
 */
export function trainingStep(
  model: Model,
  { objective: target, optimisers, epsilon, damping, start, motions, clip }: Training,
): Program {
  const { sites } = model
  const minimised = objective(target)
  const starts = sites.map((site) => startAt(site, model, start))
  const extras = model.adapter?.extras ?? []
  const isMoved = isTrainedFromZero(start)
  const trained = sites.map(
    (site, i): TrainedNodes => ({
      ...(isMoved ? leavesAt("moved ", "trained", site) : starts[i]!.drawn),
      ...Object.fromEntries(
        extras.map(({ name, shape }) => [name, Node.leaf(`${name}${site.tag}`, "trained", shape(site))]),
      ),
    }),
  )
  const adapterAt = (i: number, { A, B, ...others }: TrainedNodes): ChangedFactors => {
    const added = Object.fromEntries(Object.entries(others).map(([name, node]) => [name, fromZero(node)]))
    if (!isMoved) return { A: fromZero(A), B: fromZero(B), ...added }
    const { factors } = starts[i]!
    const moved = (from: Node, by: Node) =>
      start.subtracted ? { before: from, after: from.plus(by), change: by } : fromZero(from.plus(by))
    return { A: moved(factors.A, A), B: moved(factors.B, B), ...added }
  }
  const { loss, residual } = lossOf(
    model,
    target,
    minimised.of,
    trained.map((factors, i) => adapterAt(i, factors)),
  )
  const leaves = trained.flatMap((tensors) => Object.values(tensors))
  const found = new Map(gradient(loss, leaves).map((own, i) => [leaves[i]!, own]))
  const next = new Map<Node, Node>()
  const gradients = trained.map(
    (tensors) =>
      Object.fromEntries(Object.entries(tensors).map(([name, leaf]) => [name, found.get(leaf)!])) as Gradients,
  )
  const seen = clip === null ? (own: Node) => own : clippedTo(clip, moving(gradients, motions))
  const steps = trained.map((factors, i): AdapterStep => {
    const site = sites[i]!
    const update = (tensor: string, others: Pick<FactorPlace, "other" | "otherInTurn"> | null) => {
      const motion = motions[i]![tensor]!
      const factor = factors[tensor]!
      if (motion === "frozen") return { change: Node.zero(factor.shape), after: factor }
      const direction = gradients[i]![tensor]
      const name = `${tensor}${site.tag}`
      if (!direction) throw new Error(`the loss does not depend on ${name}`)
      const optimiser = optimisers[tensor]!
      const spaces = spacesOf(site, tensor)
      const state = optimiser.state.map((part) =>
        typeof part === "string"
          ? Node.leaf(`${name}.${part}`, "state", factor.shape)
          : Node.leaf(`${name}.${part.name}`, "state", part.shape(spaces, factor.shape)),
      )
      const rank = tensor === "A" ? "rows" : "columns"
      const place = { epsilon, damping, rank, other: null, otherInTurn: null, ...others } as const
      const result = optimiser.step(seen(direction), state, place)
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
    const { A: ownA, B: ownB } = adapterAt(i, factors)
    const A = update("A", { other: ownB.after, otherInTurn: ownB.after })
    const moved = adapterAt(i, { ...factors, A: A.after })
    const B = update("B", { other: ownA.after, otherInTurn: moved.A.after })
    const others = extras.map(({ name }) => [name, update(name, null)] as const)
    const after = Object.fromEntries(others.map(([name, own]) => [name, own.after]))
    const changes = Object.fromEntries(others.map(([name, own]) => [name, own.change]))
    return {
      before: adapterAt(i, factors),
      change: { A: A.change, B: B.change, ...changes },
      after: adapterAt(i, { A: A.after, B: B.after, ...after }),
    }
  })
  const { of: quantities, parts } = quantitiesOf(model, steps)
  return {
    model,
    frozen: [...model.frozen, ...minimised.frozen],
    starts: starts.map(({ drawn }) => drawn),
    next,
    quantities,
    parts,
    alignments: alignmentsOf(quantities),
    saturations: saturationsOf(Object.values(quantities)),
    loss,
    residual,
    gradients,
  }
}

/** The spaces of a factor of a site; of a tensor beside them, those of B. */
function spacesOf({ rank, input, output }: Site, tensor: string): FactorSpaces {
  return tensor === "A" ? { rank, own: input, other: output } : { rank, own: output, other: input }
}

/** The loss: of the output, or where the model says so of its change, which is exact however small it is. */
function lossOf(
  model: Model,
  { loss }: Objective,
  minimised: (f: Node) => Loss,
  adapters: readonly ChangedFactors[],
): Loss {
  if (model.minimises === "output") return minimised(plainOutput(model, adapters))
  const { output } = changedForward(model, adapters)
  return minimised(loss === "linear" ? output.change : output.after)
}

/** Whether the drawn start stays and what is added to it is trained, from zero. */
function isTrainedFromZero({ subtracted, along }: StartRule): boolean {
  return subtracted || along.A || along.B
}

function leavesAt(prefix: string, role: "start" | "trained", { tag, input, output, rank }: Site): FactorNodes {
  return {
    A: Node.leaf(`${prefix}A${tag}`, role, [rank, input]),
    B: Node.leaf(`${prefix}B${tag}`, role, [output, rank]),
  }
}

/**
 * A site's drawn leaves and its factors' starts: the leaves themselves, or the gradient's directions with them as
 * coordinates.
 */
function startAt(
  site: Site,
  { gradient }: Model,
  start: StartRule,
): { readonly drawn: FactorNodes; readonly factors: FactorNodes } {
  const { along } = start
  const leaves = leavesAt("", isTrainedFromZero(start) ? "start" : "trained", site)
  const one = (side: "A" | "B") => {
    const leaf = leaves[side]
    if (gradient === null || !along[side]) return { drawn: leaf, factor: leaf }
    const direction = gradient[side]
    const [, space] = direction.shape
    const drawn = Node.leaf(`${side}${site.tag}`, "start", side === "A" ? [site.rank, space] : [space, site.rank])
    return { drawn, factor: side === "A" ? drawn.times(direction.transpose()) : direction.times(drawn) }
  }
  const [A, B] = [one("A"), one("B")]
  return { drawn: { A: A.drawn, B: B.drawn }, factors: { A: A.factor, B: B.factor } }
}

/** The gradients of the tensors that are trained. */
function moving(gradients: Program["gradients"], motions: Training["motions"]): Node[] {
  return gradients.flatMap((tensors, i) =>
    Object.entries(tensors).flatMap(([name, own]) => (own === null || motions[i]![name] === "frozen" ? [] : [own])),
  )
}

/** Clips a gradient by the joint norm of all. */
function clippedTo(bound: Coefficient, all: readonly Node[]): (own: Node) => Node {
  const norm = Node.norm(all)
  return (own) => own.clip(norm, bound)
}

function alignmentsOf(quantities: Readonly<Record<string, Node>>): Record<string, WidthSum> {
  return Object.fromEntries(
    Object.entries(quantities).flatMap(([name, product]) => {
      const [left, right] = product.operands
      if (!product.is("matmul") || !grows(left!.shape[1])) return []
      // No run holds a matrix that is never formed, so that its size is not seen.
      if (product.operands.some(isNeverFormed)) return []
      return [[`alignment(${name})`, { product, left: left!, right: right! }]]
    }),
  )
}
