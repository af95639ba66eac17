import { Affine } from "../exponent/affine.js"
import { type Cell, perForever, timesForever } from "./cell.js"
import { isZeroForm } from "./graded.js"
import { lead } from "./size.js"
import { grown, increments, isRepeated, type State, type StepReading } from "./state.js"
import type { Advance } from "./step.js"

/** By how much every quantity grows in a period. */
export type PeriodGrowth = Readonly<Record<string, Affine>>

/** The growth of every quantity in a period if it is certain to go on, zero where the state repeats; else null. */
export function growthOver(
  history: readonly StepReading[],
  period: number,
  cell: Cell,
  advance: Advance,
): PeriodGrowth | null {
  const [now, then, earlier] = [0, 1, 2].map((k) => history.at(-1 - k * period))
  if (now === undefined || then === undefined) return null
  if (isRepeated(then.state, now.state)) return noGrowth(now)
  const round = steadyRound(history, period)
  if (round !== null) {
    const changes = new Set(round.changes)
    if (![...changes].some((change) => cell.isNegative(change))) {
      for (const form of [...changes, ...Object.values(round.growth)]) cell.compare(form, Affine.ZERO)
      return round.growth
    }
  }
  return earlier === undefined || cell.usesGaps ? null : eventualGrowth(earlier.state, then, now, period, cell, advance)
}

/** Zero for every quantity. */
export function noGrowth({ quantities }: StepReading): PeriodGrowth {
  return Object.fromEntries([...quantities.keys()].map((name) => [name, Affine.ZERO]))
}

/** Two periods in which the state grew by the same forms and every comparison was answered the same way. */
export interface Round {
  /** By how much each part of the state grows in a period (see {@link increments}). */
  readonly increments: readonly Affine[]
  /** The margins: every comparison of the later period, as the form that is ≥ 0. */
  readonly margins: readonly Affine[]
  /** By how much each margin changed. */
  readonly changes: readonly Affine[]
  readonly growth: PeriodGrowth
}

/**
 * The last two periods as a round, or null if they are none. As long as no margin falls below 0 the step is one affine
 * map x ↦ Mx + v with MΔ = Δ, so every further period repeats the round: by induction, for ever where no margin
 * shrinks.
 */
export function steadyRound(history: readonly StepReading[], period: number): Round | null {
  const [now, then, earlier] = [0, 1, 2].map((k) => history.at(-1 - k * period))
  if (!now || !then || !earlier) return null
  const recent = increments(then.state, now.state)
  const former = increments(earlier.state, then.state)
  if (recent === null || former === null || recent.some((form, i) => form.key !== former[i]!.key)) return null
  const late = history.slice(-period).flatMap(({ questions }) => questions.comparisons)
  const early = history.slice(-2 * period, -period).flatMap(({ questions }) => questions.comparisons)
  if (late.length !== early.length) return null
  const growth: Record<string, Affine> = {}
  for (const name of now.quantities.keys()) {
    const [a, b, c] = [now, then, earlier].map(({ quantities }) => quantities.get(name)!.size)
    if (!a || !b || !c) {
      if (a || b || c) return null
      growth[name] = Affine.ZERO
      continue
    }
    growth[name] = lead(a).minus(lead(b))
    if (growth[name].key !== lead(b).minus(lead(c)).key) return null
  }
  return {
    increments: recent,
    margins: late,
    changes: late.map((form, i) => form.minus(early[i]!)),
    growth,
  }
}

/**
 * The growth in the long run of a step that only takes maxima and sums, from a state x that grew by Δ ≥ 0 and in the
 * next period by no less.
 *
 * Choosing in every max the argument that led in the later period bounds the step from below by a map x ↦ Mx + v whose
 * M has no negative entry. MΔ is at least the later growth, hence at least Δ, so the state stays above x + TΔ after T
 * periods, and quantities, which are monotone, grow at least by their multiple of T. The parts at which Δ is 0 are
 * checked to stay where they are on the ray x + TΔ for T beyond all bounds (comparisons are then decided by the
 * multiples of T first): whatever the others grow to, these do not follow. Parts may grow faster than by Δ, as under a
 * squared loss, where the residual multiplies the gradient.
 */
function eventualGrowth(
  earlier: State,
  then: StepReading,
  now: StepReading,
  period: number,
  cell: Cell,
  advance: Advance,
): PeriodGrowth | null {
  const increment = increments(earlier, then.state)
  const recent = increments(then.state, now.state)
  if (increment === null || recent === null) return null
  const isNegative = (form: Affine) => cell.isNegative(form)
  const gains = recent.map((form, i) => form.minus(increment[i]!))
  if (increment.some(isNegative) || gains.some(isNegative)) return null
  const start = grown(now.state, increment.map(timesForever))
  let ray = { ...now, state: start }
  for (let step = 0; step < period; step++) ray = advance(ray.state)
  const change = increments(start, ray.state)
  if (change?.some((form, i) => isZeroForm(increment[i]!) && !isZeroForm(form)) ?? true) return null
  for (const form of [...increment, ...gains]) cell.compare(form, Affine.ZERO)
  return Object.fromEntries(
    [...ray.quantities].map(([name, { size }]) => [name, size === null ? Affine.ZERO : perForever(lead(size))]),
  )
}
