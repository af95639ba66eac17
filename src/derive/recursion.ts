import type { Affine } from "../exponent/affine.js"
import type { Scheme } from "../scheme/scheme.js"
import type { Cell } from "./cell.js"
import { growthOver, noGrowth, type PeriodGrowth } from "./growth.js"
import { lead, type Size } from "./size.js"
import { isRepeated, type State, type StepReading } from "./state.js"
import { type Advance, initialState, stepper } from "./step.js"

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
  readonly growth: PeriodGrowth
  /**
   * Where the transient has no longest length in the cell: the sizes that follow it. On the way from the last listed
   * step none is larger than both its size there and this one. Null where the listed steps hold the whole transient.
   */
  readonly limit: Readonly<Record<string, Size | null>> | null
  readonly assumptions: readonly string[]
}

/** A state that settles does so within a few steps, except where it grows slowly towards something far above. */
export const MOST_STEPS = 16
export const LONGEST_PERIOD = 3

/**
 * The exponents of a scheme's quantities for all t, in the cell around a point.
 *
 * The step maps the exponents of factors, optimiser state and what the random matrices were applied to, to their next
 * ones and depends on nothing else. So a state that repeats does so for ever, by induction on t. For a state that grows
 * see {@link growthOver}. Null if neither is seen within the given number of steps.
 */
export function recursion(scheme: Scheme, cell: Cell, most = MOST_STEPS): Recursion | null {
  const assumptions = new Set<string>()
  const advance = stepper(scheme, cell, (assumption) => void assumptions.add(assumption))
  const course = settle(initialState(scheme, cell), cell, advance, most)
  if (course === null) return null
  const { history, period, growth } = course
  return { steps: stepSizes(history), period, growth, limit: null, assumptions: [...assumptions] }
}

/** Steps up to where it is known how all later ones go on: like the last period, plus the growth. */
export interface Course {
  readonly history: readonly StepReading[]
  readonly period: number
  readonly growth: PeriodGrowth
}

/** The steps from a state until it repeats or is certain to grow; null if neither is seen. */
export function settle(start: State, cell: Cell, advance: Advance, most = MOST_STEPS): Course | null {
  const history: StepReading[] = []
  for (let state = start; history.length < most; ) {
    const moment = advance(state)
    history.push(moment)
    if (isRepeated(state, moment.state)) return { history, period: 1, growth: noGrowth(moment) }
    state = moment.state
    for (let period = 1; period <= LONGEST_PERIOD; period++) {
      const growth = growthOver(history, period, cell, advance)
      if (growth !== null) return { history, period, growth }
    }
  }
  return null
}

/** The first steps of a scheme, as many as are read before it is given up that they settle. */
export function firstSteps(scheme: Scheme, cell: Cell, advance: Advance): StepReading[] {
  const history: StepReading[] = []
  for (let state = initialState(scheme, cell); history.length < MOST_STEPS; state = history.at(-1)!.state)
    history.push(advance(state))
  return history
}

/**
 * The steps of a scheme in a cell, each read when it is asked for; once the state repeats, its last step stands for all
 * later ones. Null for a step beyond those that are read before it is given up that they settle.
 */
export function stepByStep(scheme: Scheme, cell: Cell): (t: number) => StepSizes | null {
  const advance = stepper(scheme, cell, () => {})
  const history: StepReading[] = []
  let state = initialState(scheme, cell)
  let repeats = false
  const told: StepSizes[] = []
  return (t) => {
    while (!repeats && history.length < Math.min(t, MOST_STEPS)) {
      const moment = advance(state)
      history.push(moment)
      repeats = isRepeated(state, moment.state)
      state = moment.state
    }
    if (!repeats && t > history.length) return null
    if (told.length < history.length) told.splice(0, told.length, ...stepSizes(history))
    return told[Math.min(t, history.length) - 1]!
  }
}

/** The sizes of steps as they are told. */
export function stepSizes(history: readonly StepReading[]): StepSizes[] {
  const moments = new Map<string, readonly Size[]>()
  return history.map(({ quantities }) => {
    for (const [name, seen] of quantities) moments.set(name, [...(moments.get(name) ?? []), ...seen.moments])
    return {
      sizes: Object.fromEntries([...quantities].map(([name, { size }]) => [name, size])),
      orthogonal: new Set([...quantities].filter(([, { isOrthogonal }]) => isOrthogonal).map(([name]) => name)),
      moments: Object.fromEntries(moments),
    }
  })
}

/**
 * The size of a quantity at step t ≥ 1: beyond the listed steps, those of the period, plus its growth; the limit where
 * the transient has no longest length.
 */
export function sizeAt({ steps, period, growth, limit }: Recursion, quantity: string, t: number): Affine | null {
  const last = steps.length
  const rounds = t <= last ? 0 : Math.ceil((t - last) / period)
  const size = t > last && limit !== null ? limit[quantity] : steps[t - rounds * period - 1]!.sizes[quantity]
  return size ? lead(size).plus(growth[quantity]!.times(rounds)) : null
}
