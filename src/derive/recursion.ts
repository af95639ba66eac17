import { Affine } from "../exponent/affine.js"
import { inOrder, type Node } from "../program/node.js"
import type { Scheme } from "../scheme/scheme.js"
import { type Cell, perForever, timesForever } from "./cell.js"
import { Graded, isZeroForm } from "./graded.js"
import { type Asked, randomTensor, readExponents } from "./read.js"
import { lead, type Size, shifted, sizeOf } from "./size.js"

/** The sizes of the watched quantities after one step. */
export interface StepSizes {
  /** Per quantity, null where it is exactly zero. */
  readonly sizes: Readonly<Record<string, Size | null>>
  /** The quantities whose terms' squares add (see `Graded.isOrthogonal`). */
  readonly orthogonal: ReadonlySet<string>
  /** Per quantity, the sizes of the moments of its optimiser up to now (see `Terms.corrections`). */
  readonly moments: Readonly<Record<string, readonly Size[]>>
}

/** A scheme's exponents for all t in one cell of its symbols. */
export interface Recursion {
  /** `steps[0]` is t = 1; the listed ones are the transient and one period. */
  readonly steps: readonly StepSizes[]
  /** For all later t: after the last listed step the sizes of the last `period` steps repeat, plus the growth. */
  readonly period: number
  /** The exponent by which a quantity grows (or falls) in a period; where it grows, at least. */
  readonly growth: Readonly<Record<string, Affine>>
  readonly assumptions: readonly string[]
}

const ZERO = sizeOf(Affine.ZERO)

/** A state that settles does so within a few steps, except ever later towards the edge of some regions. */
const MOST_STEPS = 16
const LONGEST_PERIOD = 3

/**
 * The exponents of a scheme's quantities for all t, in the cell around a point.
 *
 * The step maps the exponents of factors, optimiser state and what the random matrices were applied to, to their next
 * ones and depends on nothing else. So a state that repeats does so for ever, by induction on t. For a state that grows
 * see {@link steadyGrowth} and {@link eventualGrowth}. Null if neither is seen within a number of steps.
 */
export function recursion(scheme: Scheme, cell: Cell): Recursion | null {
  const assumptions = new Set<string>()
  const advance = stepper(scheme, cell, (assumption) => void assumptions.add(assumption))
  const history: Moment[] = []
  let state = initialState(scheme, cell)
  const settled = (period: number, growth: Record<string, Affine>): Recursion => {
    return { steps: stepSizes(history, cell), period, growth, assumptions: [...assumptions] }
  }
  for (let t = 1; t <= MOST_STEPS; t++) {
    const before = cell.comparisons.length
    const { next, quantities, moments } = advance(state)
    history.push({ state: next, comparisons: cell.comparisons.slice(before), quantities, moments })
    if (isRepeated(state, next)) return settled(1, Object.fromEntries(names(quantities).map((n) => [n, Affine.ZERO])))
    state = next
    for (let period = 1; period <= LONGEST_PERIOD; period++) {
      const growth = growthOver(history, period, cell, advance)
      if (growth !== null) return settled(period, growth)
    }
  }
  return null
}

/** The sizes of a quantity at step t ≥ 1: beyond the listed steps, those of the period, plus its growth. */
export function sizeAt({ steps, period, growth }: Recursion, quantity: string, t: number): Affine | null {
  const last = steps.length
  const rounds = t <= last ? 0 : Math.ceil((t - last) / period)
  const size = steps[t - rounds * period - 1]!.sizes[quantity]
  return size ? lead(size).plus(growth[quantity]!.times(rounds)) : null
}

/** Everything that the next step depends on. */
interface State {
  readonly leaves: ReadonlyMap<Node, Graded>
  readonly asked: ReadonlyMap<Node, Asked>
}

/** A step as it was read: the state after it, the comparisons made, and the quantities. */
interface Moment {
  readonly state: State
  readonly comparisons: readonly Affine[]
  readonly quantities: ReadonlyMap<string, Graded>
  /** Per quantity, the sizes of the moments under the quotients that it depends on. */
  readonly moments: ReadonlyMap<string, readonly Size[]>
}

function initialState({ program, start, dimensions }: Scheme, cell: Cell): State {
  const leaves = new Map<Node, Graded>([...program.next.keys()].map((node) => [node, Graded.ZERO]))
  for (const [node, deviation] of start)
    leaves.set(node, deviation === "zero" ? Graded.ZERO : randomTensor(node, deviation.power, { cell, dimensions }))
  return { leaves, asked: new Map() }
}

type Advance = (state: State) => { readonly next: State } & Pick<Moment, "quantities" | "moments">

function stepper(
  { program, dimensions, alignments }: Scheme,
  cell: Cell,
  assume: (assumption: string) => void,
): Advance {
  const frozen = program.layer.frozen.map(
    ({ node, deviation }) => [node, randomTensor(node, deviation.power, { cell, dimensions })] as const,
  )
  const watched = Object.entries(program.quantities)
  const growths = new Map<string, Affine>()
  return ({ leaves, asked }) => {
    const nextAsked = new Map(asked)
    const values = readExponents([...program.next.values(), ...Object.values(program.quantities)], {
      cell,
      dimensions,
      alignments,
      leaves: new Map([...frozen, ...leaves]),
      asked: nextAsked,
      growths,
      assume,
    })
    const sizes = new Map(watched.map(([name, node]) => [name, values.get(node)!]))
    const moments = new Map(watched.map(([name, node]) => [name, cell.keepsTerms ? momentsOf(node, values, cell) : []]))
    if (cell.keepsTerms)
      for (const [name, { product, left, right }] of Object.entries(program.alignments)) {
        const [of, x, y] = [product, left, right].map((node) => values.get(node)!.size(cell))
        const terms = lead(x ?? ZERO)
          .plus(lead(y ?? ZERO))
          .plus(dimensions[left.shape[1]])
        const ratio = of && shifted(of, terms.negated)
        sizes.set(name, ratio ? Graded.even(ratio) : Graded.ZERO)
        // Where a factor is a sum of several terms, the ratio approaches its limit like a quotient of moments.
        moments.set(
          name,
          [x, y].flatMap((size) => size ?? []),
        )
      }
    const after = (node: Node, before: Graded) => {
      const value = program.next.get(node)
      return value === undefined ? before : values.get(value)!
    }
    return {
      next: { leaves: new Map([...leaves].map(([node, value]) => [node, after(node, value)])), asked: nextAsked },
      quantities: sizes,
      moments,
    }
  }
}

/** All tensors of a state, in a fixed order. */
function tensors({ leaves, asked }: State): Graded[] {
  return [...leaves.values(), ...[...asked.values()].flatMap((seen) => [seen.arguments, seen.transposed])]
}

function isRepeated(before: State, after: State): boolean {
  const [x, y] = [tensors(before), tensors(after)]
  return x.length === y.length && x.every((tensor, i) => tensor.key === y[i]!.key)
}

function names(quantities: ReadonlyMap<string, unknown>): string[] {
  return [...quantities.keys()]
}

/** The growth of every quantity in a period if it is certain to go on, zero where the state repeats; else null. */
function growthOver(
  history: readonly Moment[],
  period: number,
  cell: Cell,
  advance: Advance,
): Record<string, Affine> | null {
  const [now, then, earlier] = [0, 1, 2].map((k) => history.at(-1 - k * period))
  if (now === undefined || then === undefined) return null
  if (isRepeated(then.state, now.state))
    return Object.fromEntries(names(now.quantities).map((name) => [name, Affine.ZERO]))
  if (earlier === undefined) return null
  const recent = increments(tensors(then.state), tensors(now.state))
  const former = increments(tensors(earlier.state), tensors(then.state))
  if (recent === null || former === null) return null
  const isSteady = recent.every((form, i) => form.key === former[i]!.key)
  const steady = isSteady ? steadyGrowth(history, period, cell) : null
  return steady ?? (cell.usesGaps ? null : eventualGrowth(now, former, recent, period, cell, advance))
}

/**
 * The growth where in two periods running the state grew by the same forms, every comparison was answered the same way,
 * and no margin shrank: then the step is the same affine map ever after, and all of this repeats, by induction.
 */
function steadyGrowth(history: readonly Moment[], period: number, cell: Cell): Record<string, Affine> | null {
  const [now, then, earlier] = [0, 1, 2].map((k) => history.at(-1 - k * period)!.quantities)
  const late = history.slice(-period).flatMap(({ comparisons }) => comparisons)
  const early = history.slice(-2 * period, -period).flatMap(({ comparisons }) => comparisons)
  if (late.length !== early.length) return null
  const margins = late.map((form, i) => form.minus(early[i]!))
  if (margins.some((margin) => margin.at(cell.point).compare(0) < 0)) return null
  const growth: Record<string, Affine> = {}
  for (const name of names(now!)) {
    const [a, b, c] = [now!, then!, earlier!].map((quantities) => quantities.get(name)!.size(cell))
    if (!a || !b || !c) {
      if (a || b || c) return null
      growth[name] = Affine.ZERO
      continue
    }
    growth[name] = lead(a).minus(lead(b))
    if (growth[name].key !== lead(b).minus(lead(c)).key) return null
  }
  for (const form of [...margins, ...Object.values(growth)]) cell.compare(form, Affine.ZERO)
  return growth
}

/**
 * The growth in the long run of a step that only takes maxima and sums, from a state x that grew by Δ ≥ 0 and in the next
 * period by no less.
 *
 * Choosing in every max the argument that led in the later period bounds the step from below by a map x ↦ Mx + v whose M
 * has no negative entry. MΔ is at least the later growth, hence at least Δ, so the state stays above x + TΔ after T
 * periods, and quantities, which are monotone, grow at least by their multiple of T. The parts at which Δ is 0 are checked
 * to stay where they are on the ray x + TΔ for T beyond all bounds (comparisons are then decided by the multiples of T
 * first): whatever the others grow to, these do not follow. Parts may grow faster than by Δ, as under a squared loss,
 * where the residual multiplies the gradient.
 */
function eventualGrowth(
  { state, quantities }: Moment,
  increment: readonly Affine[],
  recent: readonly Affine[],
  period: number,
  cell: Cell,
  advance: Advance,
): Record<string, Affine> | null {
  const isNegative = (form: Affine) => form.at(cell.point).compare(0) < 0
  const gains = recent.map((form, i) => form.minus(increment[i]!))
  if (increment.some(isNegative) || gains.some(isNegative)) return null
  let ray = grown(state, increment, timesForever)
  const start = ray
  let last = quantities
  for (let step = 0; step < period; step++) {
    const { next, quantities: seen } = advance(ray)
    ;[ray, last] = [next, seen]
  }
  const change = increments(tensors(start), tensors(ray))
  if (change?.some((form, i) => isZeroForm(increment[i]!) && !isZeroForm(form)) ?? true) return null
  for (const form of [...increment, ...gains]) cell.compare(form, Affine.ZERO)
  return Object.fromEntries(
    names(last).map((name) => {
      const size = last.get(name)!.size(cell)
      return [name, size === null ? Affine.ZERO : perForever(lead(size))]
    }),
  )
}

/** The state with a function of each part's increment added to the part. */
function grown(state: State, increment: readonly Affine[], added: (form: Affine) => Affine): State {
  let i = 0
  const next = (tensor: Graded) => tensor.map((size) => shifted(size, added(increment[i++]!)))
  const leaves = new Map([...state.leaves].map(([node, tensor]) => [node, next(tensor)]))
  const asked = new Map(
    [...state.asked].map(([node, seen]) => [
      node,
      { arguments: next(seen.arguments), transposed: next(seen.transposed) },
    ]),
  )
  return { leaves, asked }
}

/** How much each part of each tensor grew between two states of the same parities; null for other parities. */
function increments(before: readonly Graded[], after: readonly Graded[]): Affine[] | null {
  const shape = (all: readonly Graded[]) =>
    all.map(({ parts, randoms }) => [...parts.map(({ parity }) => parity.key), randoms.length].join()).join(";")
  if (shape(before) !== shape(after)) return null
  const forms = (all: readonly Graded[]) =>
    all.flatMap(({ parts, randoms }) => [...parts, ...randoms].map(({ size }) => lead(size)))
  const old = forms(before)
  return forms(after).map((form, i) => form.minus(old[i]!))
}

function stepSizes(history: readonly Moment[], cell: Cell): StepSizes[] {
  const moments = new Map<string, readonly Size[]>()
  return history.map(({ quantities, moments: seen }) => {
    for (const [name, sizes] of seen) moments.set(name, [...(moments.get(name) ?? []), ...sizes])
    return {
      sizes: Object.fromEntries([...quantities].map(([name, tensor]) => [name, tensor.size(cell)])),
      orthogonal: new Set(names(quantities).filter((name) => quantities.get(name)!.isOrthogonal)),
      moments: Object.fromEntries(moments),
    }
  })
}

/** The sizes under each scale-free function (a sign, Adam's quotient, an orthogonalisation) and each norm that clips, that the node depends on; what came before is in earlier steps. */
function momentsOf(node: Node, values: ReadonlyMap<Node, Graded>, cell: Cell): Size[] {
  return inOrder([node]).flatMap(({ operation }) => {
    switch (operation.op) {
      case "rootRatio":
      case "sign":
      case "orthogonalise": {
        const size = values.get(operation.of)!.size(cell)
        return size === null ? [] : [size]
      }
      case "clip": {
        // At a finite width some seeds are clipped and others not: the share falls as the norm's distance from the bound.
        const size = values.get(operation.norm)!.size(cell)
        return size === null ? [] : [{ ...size, terms: [...size.terms, operation.bound.power] }]
      }
      default:
        return []
    }
  })
}
