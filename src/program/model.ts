import type { Affine } from "../exponent/affine.js"
import type { AdapterForm, ChangedFactors } from "./adapters/form.js"
import { lora } from "./adapters/lora.js"
import { change } from "./change.js"
import { type Changed, fromZero } from "./changed.js"
import type { Dimension } from "./dimension.js"
import { Node } from "./node.js"
import type { Frozen } from "./objective.js"
import type { Coefficient } from "./operation.js"

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
  /** Whether a step's change of zB and what each factor adds to it are watched: δ¹, δ², δ³ of LoRA. */
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
  /**
   * After how many steps that neither repeat nor grow a derivation with symbols gives up, where steps are slow to read
   * and regions with a long transient many; those of any other derivation if left out.
   */
  readonly mostSteps?: number
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

/** The factor n^power. */
export function power(exponent: Affine): Coefficient {
  return { constant: 1, power: exponent }
}

/** The only site of a model, without a tag. */
export function onlySite(input: Dimension, output: Dimension, rank: Dimension): Site {
  return { name: "adapter", tag: "", input, output, rank }
}

/** What an adapter adds to its layer's output. */
export function adapterOutput(
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
export function passInChanges(
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
