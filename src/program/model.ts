import type { Affine } from "../exponent/affine.js"
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

/** A forward pass: the output f, 1×N, and tensors of sites whose change is watched. */
export interface Forward {
  readonly output: Node
  readonly watched: readonly { readonly name: string; readonly site: Site; readonly node: Node }[]
}

/** A model with adapters, as its plain forward pass. */
export interface Model {
  readonly name: string
  readonly sites: readonly Site[]
  readonly frozen: readonly Frozen[]
  /** The exponent s of the multiplier α = n^s of every adapter. */
  readonly multiplier: Affine
  /** The pass; `adapted` gives what a site's adapter adds to its layer's output, for an input of the layer. */
  readonly forward: (adapted: (site: Site, input: Node) => Node) => Forward
  /** What a linear loss is of: the output, or its change by the adapters, which is small beside the output. */
  readonly minimises: "output" | "change"
  /** Whether the parts δ¹, δ², δ³ of a step's change of zB are watched: the input of the only site is frozen. */
  readonly watchesParts: boolean
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
export interface Factors {
  /** r×n. */
  readonly A: Node
  /** n×r. */
  readonly B: Node
}

/** An adapter at one moment. `before` is what is taken from the frozen weights: its start, or zero. */
export interface Adapter {
  readonly A: Changed
  readonly B: Changed
}

/** A step of one adapter seen from outside: the adapter before it, the change of its factors, and the adapter after it. */
export interface Step {
  readonly before: Adapter
  readonly change: Factors
  readonly after: Adapter
}

/** The factor n^power. */
export function power(exponent: Affine): Coefficient {
  return { constant: 1, power: exponent }
}

/** The only site of a model, without a tag. */
export function onlySite(input: Dimension, output: Dimension, rank: Dimension): Site {
  return { name: "adapter", tag: "", input, output, rank }
}

/** α B A applied to an input, less α B₀ A₀ of it where the start is subtracted: written so that nothing cancels. */
function adapterOutput({ A, B }: Adapter, input: Node, multiplier: Affine): Node {
  return product(B, product(A, unchanged(input))).change.scale(power(multiplier))
}

/** The output with the adapters' contributions added as they come. */
export function plainOutput({ forward, multiplier, sites }: Model, adapters: readonly Adapter[]): Node {
  return forward((site, input) => adapterOutput(adapters[sites.indexOf(site)]!, input, multiplier)).output
}

/** A forward pass in changes: with the adapters against without them. */
export interface ChangedForward {
  readonly output: Changed
  readonly watched: readonly { readonly name: string; readonly site: Site; readonly change: Node }[]
  /** Per site its layer's input with the adapters, and what the adapter adds. */
  readonly at: ReadonlyMap<Site, { readonly input: Node; readonly zB: Node }>
}

/** The forward pass with the adapters and without them, and the exact change between the two. */
export function changedForward({ forward, multiplier, sites }: Model, adapters: readonly Adapter[]): ChangedForward {
  const given = new Map<Node, (of: (node: Node) => Changed) => Changed>()
  const at = new Map<Site, { input: Node; zB: Node }>()
  const { output, watched } = forward((site, input) => {
    // Stands for the adapter's part of the pass: what it is follows from the input there.
    const place = Node.leaf(`adapter${site.tag}`, "trained", [site.output, site.input]).times(input)
    given.set(place, (of) => {
      const { after } = of(input)
      const zB = adapterOutput(adapters[sites.indexOf(site)]!, after, multiplier)
      at.set(site, { input: after, zB })
      return fromZero(zB)
    })
    return place
  })
  const found = change([output, ...watched.map(({ node }) => node)], given)
  return {
    output: found.get(output)!,
    watched: watched.map(({ name, site, node }) => ({ name, site, change: found.get(node)!.change })),
    at,
  }
}

/**
 * The quantities of a step: per site zA = A x, B, zB and what the model watches there; δ¹ = α B ΔZ_A, δ² = α ΔB Z_A,
 * δ³ = α ΔB ΔZ_A (δ¹ carries ΔZ_A); and `f`, the adapters' change of the output.
 */
export function quantitiesOf(model: Model, steps: readonly Step[]): Record<string, Node> {
  const pass = changedForward(
    model,
    steps.map(({ after }) => after),
  )
  const applied = (B: Node, zA: Node) => B.times(zA).scale(power(model.multiplier))
  const quantities: Record<string, Node> = {}
  model.sites.forEach((site, i) => {
    const { before, change, after } = steps[i]!
    const { input, zB } = pass.at.get(site)!
    const parts = {
      delta1: () => applied(before.B.after, change.A.times(input)),
      delta2: () => applied(change.B, before.A.after.times(input)),
      delta3: () => applied(change.B, change.A.times(input)),
    }
    const own: Record<string, Node> = { zA: after.A.after.times(input), b: after.B.after, zB }
    if (model.watchesParts) for (const [name, part] of Object.entries(parts)) own[name] = part()
    for (const watched of pass.watched) if (watched.site === site) own[watched.name] = watched.change
    for (const [name, node] of Object.entries(own)) quantities[`${name}${site.tag}`] = node
  })
  return { ...quantities, f: pass.output.change }
}
