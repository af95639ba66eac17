import type { Fraction } from "fraction.js"
import { Affine } from "../exponent/affine.js"
import { type Constraint, eliminate, irredundant, isFeasible } from "../exponent/system.js"
import type { Scheme } from "../scheme/scheme.js"
import { type Cell, explore, type Region, signNear } from "./cell.js"
import { isZeroForm } from "./graded.js"
import { type Round, steadyRound } from "./growth.js"
import { type Course, firstSteps, LONGEST_PERIOD, type Recursion, settle, stepSizes } from "./recursion.js"
import { lead, type Size } from "./size.js"
import { grown, type State, type StepReading } from "./state.js"
import { stepper } from "./step.js"
import { ifKnown, UnknownHere } from "./underivable.js"

/** The symbol κ = Kδ: what K rounds of a steady growth by δ add. */
const GAINED = "κ"
const gained = Affine.symbol(GAINED)

/**
 * The recursion in a region where the state grows steadily until, K rounds later, a comparison is answered otherwise: K
 * has no bound in the region, as the growth δ vanishes towards its edge.
 *
 * All that a round adds is a multiple of δ, so the state after K rounds is affine in the symbols and in κ = Kδ, and is
 * read on from there with κ as a further symbol, at every κ between the last two rounds that the comparisons allow. One
 * of these is the true one; what is told holds at all of them.
 *
 * @returns null where the growth is not of this kind, where no end is seen after it either, or where that depends on κ.
 */
export function throughTransient(scheme: Scheme, where: readonly Constraint[]): Region<Recursion>[] | null {
  const domain: Constraint[] = [...where, { form: gained.negated, relation: "<=" }]
  const read = (cell: Cell) => ifKnown(() => recursionBeyond(scheme, cell))
  const cells = explore(domain, [...scheme.symbols, GAINED], read, MOST_CELLS)
  if (cells === null) return null
  const regions: Region<Recursion>[] = []
  for (const { where, point, result } of cells) {
    if (result === null || result instanceof UnknownHere) return null
    if (result === ELSEWHERE) continue
    const symbols = new Map([...point].filter(([name]) => name !== GAINED))
    // On the edge itself nothing grows, and the limits of the region do not hold.
    const inside: Constraint[] = result.unit ? [{ form: result.unit.negated, relation: "<" }] : []
    regions.push({
      where: irredundant([...inside, ...eliminate(where, GAINED)]),
      point: symbols,
      result: result.recursion,
    })
  }
  const contradict = (x: Region<Recursion>, y: Region<Recursion>) =>
    outcome(x.result) !== outcome(y.result) && overlap(x, y)
  return regions.some((x, i) => regions.slice(0, i).some((y) => contradict(x, y))) ? null : regions
}

/** What follows a growth is a few cells, unless it is another growth. */
const MOST_CELLS = 50

/** A κ that no number of rounds gives. */
const ELSEWHERE = "elsewhere"

/** The recursion, and the growth δ of a round. */
interface Beyond {
  readonly recursion: Recursion
  readonly unit: Affine | null
}

function recursionBeyond(scheme: Scheme, cell: Cell): Beyond | null | typeof ELSEWHERE {
  const assumptions = new Set<string>()
  const advance = stepper(scheme, cell, (assumption) => void assumptions.add(assumption))
  const history = firstSteps(scheme, cell, advance)
  const end = endOfGrowth(history, cell)
  if (end === ELSEWHERE) return end
  const course = settle(end.state, cell, advance)
  const limit = course && limitOf(history.at(-1)!, end, course, cell)
  if (course === null || limit === null) return null
  const { growth } = course
  const recursion = { steps: stepSizes(history), period: 1, growth, limit, assumptions: [...assumptions] }
  return { recursion, unit: end.unit }
}

/** A state after the listed steps, with the exponents of the quantities there; null for one that is zero. */
interface End {
  readonly state: State
  readonly unit: Affine | null
  readonly forms: ReadonlyMap<string, Affine | null>
}

/** Where the steady growth ends, by κ; the last state itself where none is seen. */
function endOfGrowth(history: readonly StepReading[], cell: Cell): End | typeof ELSEWHERE {
  const { state, quantities } = history.at(-1)!
  const forms = new Map([...quantities].map(([name, { size }]) => [name, formOf(size)]))
  for (let period = 1; period <= LONGEST_PERIOD; period++) {
    const round = steadyRound(history, period)
    const before = steadyRound(history.slice(0, -period), period)
    const isSteady = round?.changes.every((change, i) => change.key === before?.changes[i]?.key) ?? false
    const multiples = round && isSteady ? multiplesOfOne(round, cell) : null
    if (round === null || multiples === null) continue
    const { unit, of } = multiples
    const margins = round.margins.map((form, i) => {
      const rate = of(round.changes[i]!)
      return { now: form.plus(gained.times(rate)), next: form.plus(gained.plus(unit).times(rate)) }
    })
    const [broken, first] = [
      margins.find(({ now }) => cell.isNegative(now)),
      margins.find(({ next }) => cell.isNegative(next)),
    ]
    for (const { now } of broken ? [broken] : margins) cell.compare(now, Affine.ZERO)
    if (broken) return ELSEWHERE
    for (const { next } of first ? [first] : margins) cell.compare(next, Affine.ZERO)
    if (first === undefined) return ELSEWHERE
    return {
      unit,
      state: grown(
        state,
        round.increments.map((form) => gained.times(of(form))),
      ),
      forms: new Map(
        [...forms].map(([name, form]) => [name, form?.plus(gained.times(of(round.growth[name]!))) ?? null]),
      ),
    }
  }
  return { state, unit: null, forms }
}

/** All forms of a round as multiples of one that is > 0 at the cell's point; null if they are not. */
function multiplesOfOne(
  { increments, changes, growth }: Round,
  { point }: Cell,
): { readonly unit: Affine; readonly of: (form: Affine) => Fraction } | null {
  const forms = [...increments, ...changes, ...Object.values(growth)]
  const first = forms.find((form) => !isZeroForm(form))
  if (first === undefined) return null
  const unit = signNear(first, point) > 0 ? first : first.negated
  const part = (form: Affine) => (unit.isConstant ? form.constant : form.coefficient(unit.symbols[0]!))
  const of = (form: Affine) => part(form).div(part(unit))
  return forms.every((form) => form.key === unit.times(of(form)).key) ? { unit, of } : null
}

/**
 * The sizes that the course ends with, if none depends on κ and none on the way is larger than both ends; else null.
 */
function limitOf(listed: StepReading, end: End, { history, period, growth }: Course, cell: Cell): Recursion["limit"] {
  const limit: Record<string, Size | null> = {}
  for (const [name, { size: first }] of listed.quantities) {
    const sizes = history.map(({ quantities }) => quantities.get(name)!.size)
    const last = sizes.at(-1)!
    const repeats = sizes.slice(-period).every((size) => formOf(size)?.key === formOf(last)?.key)
    const isTold = isZeroForm(growth[name]!)
      ? repeats && areAtMost(cell, [end.forms.get(name)!, ...sizes.map(formOf)], formOf(first), formOf(last))
      : !cell.isNegative(growth[name]!)
    if (!isTold || [growth[name]!, formOf(last)].some((form) => form?.symbols.includes(GAINED))) return null
    limit[name] = last
  }
  return limit
}

/** Whether no exponent exceeds the larger of two in the cell; null is −∞. */
function areAtMost(cell: Cell, forms: readonly (Affine | null)[], x: Affine | null, y: Affine | null): boolean {
  const largest = x === null || y === null ? (x ?? y) : cell.compare(x, y) >= 0 ? x : y
  return forms.every((form) => form === null || (largest !== null && cell.compare(form, largest) <= 0))
}

function formOf(size: Size | null): Affine | null {
  return size && lead(size)
}

/** A text that is equal for the same sizes after the transient. */
function outcome({ limit, growth }: Recursion): string {
  return Object.entries(growth)
    .map(([name, form]) => `${name} ${formOf(limit![name]!)?.key} ${form.key}`)
    .join("; ")
}

/** Whether the regions share more than walls. */
function overlap(x: Region<unknown>, y: Region<unknown>): boolean {
  return isFeasible([...x.where, ...y.where].map(({ form }) => ({ form, relation: "<" })))
}
