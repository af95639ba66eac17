import { Affine } from "../exponent/affine.js"
import { type Coefficient, inOrder, type Node } from "../program/node.js"
import type { Scheme } from "../scheme/scheme.js"
import type { Cell } from "./cell.js"
import { Graded, isZeroForm } from "./graded.js"
import { type Asked, randomTensor, readExponents } from "./read.js"
import { lead, type Size } from "./size.js"

/** The sizes of the watched quantities after one step. */
export interface StepSizes {
  /** Per quantity, null where it is exactly zero. */
  readonly sizes: Readonly<Record<string, Size | null>>
  /** Per quantity, the sizes of the moments of its optimiser up to now (see `Terms.corrections`). */
  readonly moments: Readonly<Record<string, readonly Size[]>>
}

/** A scheme's exponents for all t in one cell of its symbols. */
export interface Recursion {
  /** `steps[0]` is t = 1; the listed ones are the transient and one period. */
  readonly steps: readonly StepSizes[]
  /** For all later t: after the last listed step the sizes of the last `period` steps repeat, plus the growth. */
  readonly period: number
  /** The exponent by which a quantity grows (or falls) in a period; null where no exponent state repeats so simply. */
  readonly growth: Readonly<Record<string, Affine>>
  readonly assumptions: readonly string[]
}

/** Far more steps than any scheme here needs; more would be a fault of the engine. */
const MOST_STEPS = 60
const LONGEST_PERIOD = 3

/**
 * The exponents of a scheme's quantities for all t, in the cell around a point.
 *
 * The step maps the exponents of factors, optimiser state and what the random matrices were applied to, to their next
 * ones and depends on nothing else. So a state that repeats does so for ever. And where the state has grown by the same
 * forms in two periods running, with the same comparisons answered the same way and by margins that do not shrink, the
 * step is the same affine map ever after and the growth goes on: both by induction on t, not by running long.
 */
export function recursion(scheme: Scheme, cell: Cell): Recursion {
  const { program, start, dimensions } = scheme
  const assumptions = new Set<string>()
  const assume = (assumption: string) => void assumptions.add(assumption)
  const leaf = (node: Node, { power }: Coefficient) => randomTensor(node, power, { cell, dimensions, assume })
  const frozen = program.layer.frozen.map(({ node, deviation }) => [node, leaf(node, deviation)] as const)
  let state = new Map<Node, Graded>([...program.next.keys()].map((node) => [node, Graded.ZERO]))
  for (const [node, deviation] of start) state.set(node, deviation === "zero" ? Graded.ZERO : leaf(node, deviation))
  let asked: ReadonlyMap<Node, Asked> = new Map()
  const history: Moment[] = []
  const steps: StepSizes[] = []
  for (let t = 1; t <= MOST_STEPS; t++) {
    const before = cell.comparisons.length
    const nextAsked = new Map(asked)
    const values = readExponents([...program.next.values(), ...Object.values(program.quantities)], {
      cell,
      dimensions,
      leaves: new Map([...frozen, ...state]),
      asked: nextAsked,
      assume,
    })
    steps.push(stepSizes(program.quantities, values, cell, steps.at(-1)))
    const momentState = new Map([...program.next].map(([node, value]) => [node, values.get(value)!]))
    const graded = [
      ...[...state.entries()].map(([node]) => momentState.get(node) ?? state.get(node)!),
      ...[...nextAsked.values()].flatMap((seen) => [seen.arguments, seen.transposed]),
    ]
    history.push({ graded, comparisons: cell.comparisons.slice(before), sizes: steps.at(-1)!.sizes })
    state = new Map([...state].map(([node, value]) => [node, momentState.get(node) ?? value]))
    asked = nextAsked
    for (let period = 1; period <= LONGEST_PERIOD; period++) {
      const growth = growthOver(history, period, cell)
      if (growth !== null) return { steps, period, growth, assumptions: [...assumptions] }
    }
  }
  throw new Error(`no exponent state repeated or grew steadily within ${MOST_STEPS} steps`)
}

/** The sizes of a quantity at step t ≥ 1: beyond the listed steps, those of the period, plus its growth. */
export function sizeAt({ steps, period, growth }: Recursion, quantity: string, t: number): Affine | null {
  const last = steps.length
  const rounds = t <= last ? 0 : Math.ceil((t - last) / period)
  const size = steps[t - rounds * period - 1]!.sizes[quantity]
  return size ? lead(size).plus(growth[quantity]!.times(rounds)) : null
}

/** What is compared between steps: the state after a step, its comparisons, and the quantities. */
interface Moment {
  readonly graded: readonly Graded[]
  readonly comparisons: readonly Affine[]
  readonly sizes: Readonly<Record<string, Size | null>>
}

/** The growth of every quantity in a period if it is certain to go on, zero where the state repeats; else null. */
function growthOver(history: readonly Moment[], period: number, cell: Cell): Record<string, Affine> | null {
  const [now, then, earlier] = [0, 1, 2].map((k) => history.at(-1 - k * period))
  if (now === undefined || then === undefined) return null
  const names = Object.keys(now.sizes)
  const repeats = now.graded.every((tensor, i) => tensor.key === then.graded[i]?.key)
  if (repeats) return Object.fromEntries(names.map((name) => [name, Affine.ZERO]))
  if (earlier === undefined || history.length < 2 * period + 1) return null
  const recent = increments(now.graded, then.graded)
  const former = increments(then.graded, earlier.graded)
  if (recent === null || former === null || recent.some((form, i) => form.key !== former[i]!.key)) return null
  const late = history.slice(-period).flatMap(({ comparisons }) => comparisons)
  const early = history.slice(-2 * period, -period).flatMap(({ comparisons }) => comparisons)
  if (late.length !== early.length) return null
  const margins = late.map((form, i) => form.minus(early[i]!))
  if (margins.some((margin) => margin.at(cell.point).compare(0) < 0)) return null
  const growth: Record<string, Affine> = {}
  for (const name of names) {
    const [a, b, c] = [now, then, earlier].map(({ sizes }) => sizes[name])
    if (!a || !b || !c) {
      if (a || b || c) return null
      growth[name] = Affine.ZERO
      continue
    }
    const change = lead(a).minus(lead(b))
    if (change.key !== lead(b).minus(lead(c)).key) return null
    growth[name] = change
  }
  for (const margin of margins) cell.compare(margin, Affine.ZERO)
  for (const change of Object.values(growth)) cell.compare(change, Affine.ZERO)
  return growth
}

/** How much each part of each tensor grew between two states of the same parities; null for other parities. */
function increments(after: readonly Graded[], before: readonly Graded[]): Affine[] | null {
  const result: Affine[] = []
  for (const [i, tensor] of after.entries()) {
    const other = before[i]
    const shape = (graded: Graded) =>
      [...graded.parts.map(({ rows, columns }) => `${rows}|${columns}`), graded.randoms.length].join()
    if (other === undefined || shape(tensor) !== shape(other)) return null
    tensor.parts.forEach(({ size }, k) => result.push(lead(size).minus(lead(other.parts[k]!.size))))
    tensor.randoms.forEach(({ size }, k) => result.push(lead(size).minus(lead(other.randoms[k]!.size))))
  }
  return result
}

function stepSizes(
  quantities: Readonly<Record<string, Node>>,
  values: ReadonlyMap<Node, Graded>,
  cell: Cell,
  before: StepSizes | undefined,
): StepSizes {
  const named = Object.entries(quantities)
  const moments = (name: string, node: Node) => [
    ...(before?.moments[name] ?? []),
    ...(cell.keepsTerms ? momentsOf(node, values, cell) : []),
  ]
  return {
    sizes: Object.fromEntries(named.map(([name, node]) => [name, values.get(node)!.size(cell)])),
    moments: Object.fromEntries(named.map(([name, node]) => [name, moments(name, node)])),
  }
}

/** The sizes of the moments under each quotient that the node depends on; what came before is in earlier steps. */
function momentsOf(node: Node, values: ReadonlyMap<Node, Graded>, cell: Cell): Size[] {
  return inOrder([node]).flatMap(({ operation }) => {
    const size = operation.op === "rootRatio" ? values.get(operation.of)!.size(cell) : null
    return size === null ? [] : [size]
  })
}

/** Whether nothing grows or falls without end. */
export function isBounded({ growth }: Recursion): boolean {
  return Object.values(growth).every(isZeroForm)
}
