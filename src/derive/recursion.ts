import { Exponent } from "../exponent/exponent.js"
import { MaxPlus } from "../exponent/maxPlus.js"
import { type Coefficient, inOrder, type Node } from "../program/node.js"
import type { Scheme } from "../scheme/scheme.js"
import { Graded } from "./graded.js"
import { readExponents } from "./read.js"

/** The exponents of one quantity at t = 1, 2, … and for all later t. */
export interface QuantitySteps {
  /** `steps[0]` is t = 1; the last entry holds for all later t. */
  readonly steps: readonly Exponent[]
  readonly limit: Exponent
  /** The first t from which the limit holds. */
  readonly from: number
  /**
   * Per step, the sizes of the moments whose scale-free quotient the quantity depends on. Where one is a max of several
   * terms the quotient is Θ(1) only up to a correction of relative size n^−gap, which a measurement sees.
   */
  readonly moments: readonly (readonly MaxPlus[])[]
}

/** A scheme's exponents for all t, with the assumptions made on the way. */
export interface Recursion {
  readonly quantities: Readonly<Record<string, QuantitySteps>>
  readonly assumptions: readonly string[]
}

/** A state of sign or Adam updates repeats after a few steps; more than this would be a fault of the engine. */
const MOST_STEPS = 50

/**
 * The exponents of a scheme's quantities step by step, and for all t.
 *
 * The step maps the exponents of factors and optimiser state to their next ones and depends on nothing else, so once a
 * state repeats itself it does so for ever: the limit is proven by induction on t, not by running long.
 *
 * @throws Underivable if an operation has no rule, or if no state repeats.
 */
export function recursion({ program, start }: Scheme): Recursion {
  const assumptions = new Set<string>(["γ[dZ] = 0: the loss gradient's entries stay Θ(1)"])
  const frozen = program.layer.frozen.map(({ node, deviation }) => [node, gaussianLeaf(node, deviation)] as const)
  let state = new Map<Node, Graded>([...program.next.keys()].map((leaf) => [leaf, Graded.ZERO]))
  for (const factor of ["A", "B"] as const) {
    const deviation = start[factor]
    const leaf = program.trained[factor]
    if (deviation !== "zero") state.set(leaf, gaussianLeaf(leaf, deviation))
  }
  const steps = new Map<string, Exponent[]>(Object.keys(program.quantities).map((name) => [name, []]))
  const moments = new Map<string, MaxPlus[][]>(Object.keys(program.quantities).map((name) => [name, []]))
  for (let repeated = false, t = 1; ; t++) {
    if (t > MOST_STEPS) throw new Error(`no exponent state repeated within ${MOST_STEPS} steps`)
    const values = readExponents(
      [...program.next.values(), ...Object.values(program.quantities)],
      new Map([...frozen, ...state]),
      (assumption) => assumptions.add(assumption),
    )
    for (const [name, node] of Object.entries(program.quantities)) {
      steps.get(name)!.push(values.get(node)!.size)
      moments.get(name)!.push([...(moments.get(name)!.at(-1) ?? []), ...momentsOf(node, values)])
    }
    if (repeated) break
    const next = new Map([...program.next].map(([leaf, value]) => [leaf, values.get(value)!]))
    repeated = [...next].every(([leaf, value]) => value.key === state.get(leaf)!.key)
    state = next
  }
  const quantities = Object.fromEntries(
    [...steps].map(([name, exponents]) => [name, withLimit(exponents, moments.get(name)!)]),
  )
  return { quantities, assumptions: [...assumptions] }
}

/** The exponent at step t ≥ 1, the limit beyond those that were listed. */
export function atStep({ steps, limit }: QuantitySteps, t: number): Exponent {
  return steps[t - 1] ?? limit
}

/** Independent symmetric entries: the tensor is a base of its own in its growing index space. */
function gaussianLeaf(node: Node, { power }: Coefficient): Graded {
  const name = node.operation.op === "leaf" ? node.operation.name : ""
  const along = (axis: 0 | 1) => (node.shape[axis] === "n" ? [name] : [])
  return Graded.of([{ rows: along(0), columns: along(1), size: Exponent.equal(MaxPlus.of(power)) }])
}

/** The sizes of the moments under each quotient that the node depends on; what came before is in earlier steps. */
function momentsOf(node: Node, values: ReadonlyMap<Node, Graded>): MaxPlus[] {
  return inOrder([node]).flatMap(({ operation }) =>
    operation.op === "rootRatio" ? [values.get(operation.of)!.size.value] : [],
  )
}

function withLimit(exponents: readonly Exponent[], moments: readonly (readonly MaxPlus[])[]): QuantitySteps {
  const limit = exponents.at(-1)!
  const from = exponents.findLastIndex((exponent) => !exponent.equals(limit)) + 2
  return { steps: exponents, limit, from, moments }
}
