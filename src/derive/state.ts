import type { Affine } from "../exponent/affine.js"
import type { Node } from "../program/node.js"
import type { Graded } from "./graded.js"
import type { Questions } from "./questions.js"
import { type Applications, mapSides, SIDES } from "./randomMatrix.js"
import { lead, type Size, shifted } from "./size.js"

/** Everything that the next step depends on. */
export interface State {
  readonly leaves: ReadonlyMap<Node, Graded>
  readonly applications: ReadonlyMap<Node, Applications>
}

/** A quantity as a step shows it. */
export interface WatchedSize {
  /** Null where it is exactly zero. */
  readonly size: Size | null
  /** Whether the squares of its terms add (see `Graded.isOrthogonal`). */
  readonly isOrthogonal: boolean
  /** The sizes of the moments under the quotients that it depends on (see `Terms.corrections`). */
  readonly moments: readonly Size[]
}

/** A step as it was read: the state after it, what was asked, and the quantities. */
export interface StepReading {
  readonly state: State
  readonly questions: Questions
  readonly quantities: ReadonlyMap<string, WatchedSize>
}

/** All tensors of a state, in a fixed order. */
export function tensors({ leaves, applications }: State): Graded[] {
  return [...leaves.values(), ...[...applications.values()].flatMap((of) => SIDES.map((side) => of[side]))]
}

/** Whether two states have equal parts, of equal leading forms. */
export function isRepeated(before: State, after: State): boolean {
  const [x, y] = [tensors(before), tensors(after)]
  return x.length === y.length && x.every((tensor, i) => tensor === y[i] || tensor.key === y[i]!.key)
}

/** How much each part of each tensor grew between two states of the same parities; null for other parities. */
export function increments(before: State, after: State): Affine[] | null {
  const [old, now] = [tensors(before), tensors(after)]
  const shape = (all: readonly Graded[]) =>
    all.map(({ parts, randoms }) => [...parts.map(({ parity }) => parity.key), randoms.length].join()).join(";")
  if (shape(old) !== shape(now)) return null
  const forms = (all: readonly Graded[]) =>
    all.flatMap(({ parts, randoms }) => [...parts, ...randoms].map(({ size }) => lead(size)))
  const earlier = forms(old)
  return forms(now).map((form, i) => form.minus(earlier[i]!))
}

/** The state with a form added to each part, in the order of {@link increments}. */
export function grown(state: State, added: readonly Affine[]): State {
  let i = 0
  const next = (tensor: Graded) => tensor.map((size) => shifted(size, added[i++]!))
  const leaves = new Map([...state.leaves].map(([node, tensor]) => [node, next(tensor)]))
  const applications = new Map([...state.applications].map(([node, seen]) => [node, mapSides(seen, next)]))
  return { leaves, applications }
}
