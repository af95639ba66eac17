/** What is watched of a training step, as nodes of the same program. */
import { Affine } from "../exponent/affine.js"
import type { ChangedFactors } from "./adapters/form.js"
import { change } from "./change.js"
import { type Changed, fromZero, unchanged } from "./changed.js"
import {
  adapterOutput,
  changedForward,
  type Model,
  passInChanges,
  power,
  type Site,
  type TrainedNodes,
} from "./model.js"
import { Node } from "./node.js"
import { product } from "./operations/linear.js"

/**
 * A step of one adapter seen from outside: the adapter before it, the change of its tensors, and the adapter after it.
 */
export interface AdapterStep {
  readonly before: ChangedFactors
  readonly change: TrainedNodes
  readonly after: ChangedFactors
}

/** The names of the quantities that say how a step changes zB at one site. */
export interface StepParts {
  /** Those that together are the change. */
  readonly change: readonly string[]
  /** What each factor adds to it that moves, all others being as they were before the step. */
  readonly own: readonly string[]
}

/** The quantities of a step by name, and per site those that are its change of zB; none where they are not watched. */
export interface Quantities {
  readonly of: Readonly<Record<string, Node>>
  readonly parts: readonly StepParts[]
}

/**
 * The quantities of a step: per site zA = A x, B, zB, what was added to the adapter's other tensors and what the model
 * watches there; the parts of the step's change of zB; and `f`, the adapters' change of the output.
 */
export function quantitiesOf(model: Model, steps: readonly AdapterStep[]): Quantities {
  const pass = changedForward(
    model,
    steps.map(({ after }) => after),
  )
  const extras = model.adapter?.extras ?? []
  const partsOf = extras.length > 0 ? contributions : deltas
  const parts = model.watchesParts ? partsOf(model, steps) : new Map<Site, SiteParts>()
  const quantities: Record<string, Node> = {}
  model.sites.forEach((site, i) => {
    const { after } = steps[i]!
    const { input, zB } = pass.at.get(site)!
    const own: Record<string, Node> = { zA: after.A.after.times(input), b: after.B.after, zB }
    for (const { name } of extras) own[name] = after[name]!.after
    Object.assign(own, parts.get(site)?.of)
    for (const watched of pass.watched) if (watched.site === site) own[watched.name] = watched.change
    for (const [name, node] of Object.entries(own)) quantities[`${name}${site.tag}`] = node
  })
  for (const { name, site, change } of pass.watched) if (site === null) quantities[name] = change
  const tagged = ({ tag }: Site, names: readonly string[]) => names.map((name) => `${name}${tag}`)
  return {
    of: { ...quantities, f: pass.output.change },
    parts: [...parts].map(([site, { change, own }]) => ({
      change: tagged(site, change),
      own: tagged(site, own),
    })),
  }
}

/** The parts of a site's change of zB by their names without the site. */
interface SiteParts extends StepParts {
  readonly of: Readonly<Record<string, Node>>
}

/**
 * LoRA's δ¹ = α B ΔZ_A, δ² = α ΔB Z_A and δ³ = α ΔB ΔZ_A with B and Z_A before the step (δ¹ carries ΔZ_A, the change by A
 * and by the layer's input): [Init], section 3.
 */
function deltas(model: Model, steps: readonly AdapterStep[]): ReadonlyMap<Site, SiteParts> {
  const moved = stepsOfZA(model, steps)
  const applied = (B: Node, zA: Node) => B.times(zA).scale(power(model.multiplier))
  return new Map(
    model.sites.map((site, i): [Site, SiteParts] => {
      const { before, change } = steps[i]!
      const zA = moved.get(site)!
      const of = {
        delta1: applied(before.B.after, zA.change),
        delta2: applied(change.B, zA.before),
        delta3: applied(change.B, zA.change),
      }
      return [site, { of, change: ["delta1", "delta2", "delta3"], own: ["delta1", "delta2"] }]
    }),
  )
}

/**
 * Of any adapter: `delta`, the exact change of zB, and `delta_m` for each tensor m that moves, the exact change if it
 * moved alone and the layer's input stayed. Of LoRA's two factors these are δ¹ + δ² + δ³, δ¹ and δ².
 */
function contributions(model: Model, steps: readonly AdapterStep[]): ReadonlyMap<Site, SiteParts> {
  const found = new Map<Site, SiteParts>()
  passInChanges(model, (site, x, weights) => {
    const { before, change: moves, after } = steps[model.sites.indexOf(site)]!
    const places = Object.fromEntries(
      Object.entries(moves).map(([name, { shape }]) => [name, Node.leaf(`place of ${name}`, "trained", shape)]),
    )
    const input = Node.leaf("place of the input", "trained", x.before.shape)
    const tensors = Object.fromEntries(Object.entries(places).map(([name, place]) => [name, fromZero(place)]))
    const zB = adapterOutput(model, tensors as unknown as ChangedFactors, input, weights)
    const changeBy = (moving: readonly string[], at: Changed): Changed => {
      const given = Object.entries(places).map(([name, place]): [Node, () => Changed] => {
        const old = before[name]!.after
        const moved = { before: old, after: after[name]!.after, change: moves[name]! }
        return [place, () => (moving.includes(name) ? moved : unchanged(old))]
      })
      return change([zB], new Map([[input, () => at], ...given])).get(zB)!
    }
    const trained = Object.keys(moves).filter((name) => !moves[name]!.isZero)
    const whole = changeBy(trained, x)
    const own = Object.fromEntries(
      trained.map((name) => [`delta_${name}`, changeBy([name], unchanged(x.before)).change]),
    )
    found.set(site, { of: { delta: whole.change, ...own }, change: ["delta"], own: Object.keys(own) })
    return whole
  })
  return found
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
    const zA = movedThrough(step("A"), x)
    found.set(site, zA)
    const zB = scaled(product(step("B"), zA), multiplier)
    const { A, B } = { A: before.A.before, B: before.B.before }
    return A.isZero || B.isZero ? zB : less(zB, scaled(product(unchanged(B), product(unchanged(A), x)), multiplier))
  })
  return found
}

/**
 * A x with its change as ΔA x + A₀ Δx, A₀ the factor before the step: where the input turns to a new direction in the
 * step, as at a start with A₀ = 0, A Δx and ΔA x₀ would be large and cancel.
 */
function movedThrough(A: Changed, x: Changed): Changed {
  return {
    before: A.before.times(x.before),
    after: A.after.times(x.after),
    change: A.change.times(x.after).plus(A.before.times(x.change)),
  }
}

function scaled({ before, after, change: by }: Changed, multiplier: Affine): Changed {
  const [p, q, r] = [before, after, by].map((node) => node.scale(power(multiplier)))
  return { before: p!, after: q!, change: r! }
}

function less(x: Changed, y: Changed): Changed {
  const minus = (p: Node, q: Node) => p.plus(q.scale({ ...power(Affine.ZERO), constant: -1 }))
  return { before: minus(x.before, y.before), after: minus(x.after, y.after), change: minus(x.change, y.change) }
}
