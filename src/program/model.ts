import { Affine } from "../exponent/affine.js"
import type { AdapterForm, ChangedFactors } from "./adapters/form.js"
import { lora } from "./adapters/lora.js"
import { change } from "./change.js"
import { type Changed, fromZero, unchanged } from "./changed.js"
import type { Dimension } from "./dimension.js"
import { Node } from "./node.js"
import type { Frozen } from "./objective.js"
import type { Coefficient } from "./operation.js"
import { product } from "./operations/linear.js"

/** A place in a model with an adapter of its own, between two spaces. */
export interface Site {
  /** What it is called: "q", "hidden2". */
  readonly name: string
  /** What its factors and quantities carry in their names: "[q]" as in zA[q], "2" as in zA2, "" for the only one. */
  readonly tag: string
  readonly input: Dimension
  readonly output: Dimension
  readonly rank: Dimension
}

/** A tensor whose change is watched, of a site or, where that is null, of the whole model. */
export interface Watched {
  readonly name: string
  readonly site: Site | null
  readonly node: Node
}

/** A forward pass: the output f, 1×N, and tensors whose change is watched. */
export interface Forward {
  readonly output: Node
  readonly watched: readonly Watched[]
}

/** A model with adapters, as its plain forward pass. */
export interface Model {
  readonly name: string
  readonly sites: readonly Site[]
  readonly frozen: readonly Frozen[]
  /** The exponent s of the multiplier α = n^s of every adapter. */
  readonly multiplier: Affine
  /** What every site's adapter is; LoRA if left out. */
  readonly adapter?: AdapterForm
  /**
   * The pass; `adapted` gives what a site's adapter adds to its layer's output, for an input of the layer and its frozen
   * weights, where the model has them.
   */
  readonly forward: (adapted: (site: Site, input: Node, weights?: Node) => Node) => Forward
  /** What a linear loss is of: the output, or its change by the adapters, which is small beside the output. */
  readonly minimises: "output" | "change"
  /** Whether the parts δ¹, δ², δ³ of a step's change of zB are watched. */
  readonly watchesParts: boolean
  /**
   * How many random tensors a part of a tensor is told apart by in a derivation: in a deep model the products of many
   * are too many, and matter to no sum that leads. All if left out.
   */
  readonly mostBases?: number
  /**
   * Whether exponents are derived where the features and the output both grow beyond Θ(1) too: of a deep model these
   * are too many regions. They are if this is left out.
   */
  readonly isDerivedBeyondBounds?: false
  /** What the rows of the first gradient in A, and the columns of that in B, are multiples of; null where not said. */
  readonly gradient: Readonly<Record<"A" | "B", Node>> | null
}

/** Exponents of a model's frozen parts. */
export interface ModelExponents {
  /** s of the effective multiplier α = n^s. */
  readonly multiplier: Affine
  /** o of the readout, whose entries are n^(−o). */
  readonly readout: Affine
  /** Exponent of the input's entries. */
  readonly input: Affine
}

/** Two factors, or what was added to them. */
export interface FactorNodes {
  /** r×n. */
  readonly A: Node
  /** n×r. */
  readonly B: Node
}

/** The trained tensors of an adapter by name, the two factors first. */
export interface TrainedNodes extends FactorNodes {
  readonly [extra: string]: Node
}

/**
 * A step of one adapter seen from outside: the adapter before it, the change of its factors, and the adapter after it.
 */
export interface AdapterStep {
  readonly before: ChangedFactors
  readonly change: FactorNodes
  readonly after: ChangedFactors
}

/** The factor n^power. */
export function power(exponent: Affine): Coefficient {
  return { constant: 1, power: exponent }
}

/** The only site of a model, without a tag. */
export function onlySite(input: Dimension, output: Dimension, rank: Dimension): Site {
  return { name: "adapter", tag: "", input, output, rank }
}

/** What an adapter adds to its layer's output. */
function adapterOutput(
  { adapter = lora, multiplier }: Model,
  tensors: ChangedFactors,
  input: Node,
  weights: Node | undefined,
): Node {
  return adapter.added(tensors, { input, weights: weights ?? null, multiplier })
}

/** The output with the adapters' contributions added as they come. */
export function plainOutput(model: Model, adapters: readonly ChangedFactors[]): Node {
  const { forward, sites } = model
  return forward((site, input, weights) => adapterOutput(model, adapters[sites.indexOf(site)]!, input, weights)).output
}

/** The names of a quantity at every site of a model: zB, or zB1 and zB2, or zB[q] and zB[v]. */
export function everySite({ sites }: Pick<Model, "sites">, quantity: string): string[] {
  return sites.map(({ tag }) => `${quantity}${tag}`)
}

/** A forward pass in changes: with the adapters against without them. */
export interface ChangedForward {
  readonly output: Changed
  readonly watched: readonly { readonly name: string; readonly site: Site | null; readonly change: Node }[]
  /** Per site its layer's input with the adapters, and what the adapter adds. */
  readonly at: ReadonlyMap<Site, { readonly input: Node; readonly zB: Node }>
}

/**
 * The forward pass in changes.
 *
 * @param adapted what a site's adapter adds to its layer's output, given the change of the layer's input; called once a
 * site.
 */
function passInChanges(
  { forward }: Model,
  adapted: (site: Site, input: Changed, weights: Node | undefined) => Changed,
): Omit<ChangedForward, "at"> {
  const given = new Map<Node, (of: (node: Node) => Changed) => Changed>()
  const { output, watched } = forward((site, input, weights) => {
    // Stands for the adapter's part of the pass: what it is follows from the input there.
    const place = Node.leaf(`adapter${site.tag}`, "trained", [site.output, site.input]).times(input)
    given.set(place, (of) => adapted(site, of(input), weights))
    return place
  })
  const found = change([...given.keys(), output, ...watched.map(({ node }) => node)], given)
  return {
    output: found.get(output)!,
    watched: watched.map((one) => ({ ...one, change: found.get(one.node)!.change })),
  }
}

/** The forward pass with the adapters and without them, and the exact change between the two. */
export function changedForward(model: Model, adapters: readonly ChangedFactors[]): ChangedForward {
  const at = new Map<Site, { input: Node; zB: Node }>()
  const pass = passInChanges(model, (site, { after: input }, weights) => {
    const zB = adapterOutput(model, adapters[model.sites.indexOf(site)]!, input, weights)
    at.set(site, { input, zB })
    return fromZero(zB)
  })
  return { ...pass, at }
}

/**
 * Per site the change of zA = A x in a step, by its factor and by its input, which moves where adapters stand before
 * it.
 */
function stepsOfZA(model: Model, steps: readonly AdapterStep[]): ReadonlyMap<Site, Changed> {
  const { multiplier, sites } = model
  const found = new Map<Site, Changed>()
  passInChanges(model, (site, x) => {
    const { before, change: moved, after } = steps[sites.indexOf(site)]!
    const step = (side: "A" | "B"): Changed => ({
      before: before[side].after,
      after: after[side].after,
      change: moved[side],
    })
    const zA = product(step("A"), x)
    found.set(site, zA)
    const zB = scaled(product(step("B"), zA), multiplier)
    const { A, B } = { A: before.A.before, B: before.B.before }
    return A.isZero || B.isZero ? zB : less(zB, scaled(product(unchanged(B), product(unchanged(A), x)), multiplier))
  })
  return found
}

function scaled({ before, after, change: by }: Changed, multiplier: Affine): Changed {
  const [p, q, r] = [before, after, by].map((node) => node.scale(power(multiplier)))
  return { before: p!, after: q!, change: r! }
}

function less(x: Changed, y: Changed): Changed {
  const minus = (p: Node, q: Node) => p.plus(q.scale({ ...power(Affine.ZERO), constant: -1 }))
  return { before: minus(x.before, y.before), after: minus(x.after, y.after), change: minus(x.change, y.change) }
}

/**
 * The quantities of a step: per site zA = A x, B, zB, what was added to the adapter's other tensors and what the model
 * watches there; δ¹ = α B ΔZ_A, δ² = α ΔB Z_A, δ³
 * = α ΔB ΔZ_A with B and Z_A before the step (δ¹ carries ΔZ_A, the change by A and by the layer's input); and `f`, the
 * adapters' change of the output.
 */
export function quantitiesOf(model: Model, steps: readonly AdapterStep[]): Record<string, Node> {
  const pass = changedForward(
    model,
    steps.map(({ after }) => after),
  )
  const moved = model.watchesParts ? stepsOfZA(model, steps) : null
  const applied = (B: Node, zA: Node) => B.times(zA).scale(power(model.multiplier))
  const quantities: Record<string, Node> = {}
  model.sites.forEach((site, i) => {
    const { before, change, after } = steps[i]!
    const { input, zB } = pass.at.get(site)!
    const zA = moved?.get(site)
    const parts = zA && {
      delta1: applied(before.B.after, zA.change),
      delta2: applied(change.B, zA.before),
      delta3: applied(change.B, zA.change),
    }
    const own: Record<string, Node> = { zA: after.A.after.times(input), b: after.B.after, zB }
    for (const { name } of model.adapter?.extras ?? []) own[name] = after[name]!.after
    Object.assign(own, parts)
    for (const watched of pass.watched) if (watched.site === site) own[watched.name] = watched.change
    for (const [name, node] of Object.entries(own)) quantities[`${name}${site.tag}`] = node
  })
  for (const { name, site, change } of pass.watched) if (site === null) quantities[name] = change
  return { ...quantities, f: pass.output.change }
}
