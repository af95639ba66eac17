import { Affine } from "../exponent/affine.js"
import { inOrder, type Node } from "../program/node.js"
import type { Scheme } from "../scheme/scheme.js"
import type { Cell } from "./cell.js"
import { sizeOnly } from "./demand.js"
import { Graded } from "./graded.js"
import { KnownReadings } from "./knownReadings.js"
import { KnownSteps } from "./knownSteps.js"
import { type Growths, type ReadingContext, randomTensor, readNode } from "./read.js"
import { type Section, sectionsOf } from "./section.js"
import { lead, type Size, shifted, sizeOf } from "./size.js"
import type { State, StepReading, WatchedSize } from "./state.js"

const ZERO = sizeOf(Affine.ZERO)

/** The state before the first step. */
export function initialState(scheme: Scheme, cell: Cell): State {
  return memoryOf(scheme, cell).start
}

/** The frozen tensors, which no step changes. */
export function frozenLeaves(scheme: Scheme, cell: Cell): readonly [Node, Graded][] {
  return memoryOf(scheme, cell).frozen
}

/** What does not depend on a cell, and what was read in those before. */
interface Memory {
  readonly start: State
  readonly frozen: readonly [Node, Graded][]
  /** The place of every tensor's value in a step. */
  readonly places: ReadonlyMap<Node, number>
  /** What a step reads, neither known leaves nor what only they depend on. */
  readonly sections: readonly Section[]
  readonly unparted: ReadonlySet<Node>
  readonly growths: Growths
  readonly readings: KnownReadings
  readonly steps: KnownSteps
}

const memories = new WeakMap<Scheme, Memory>()

function memoryOf(scheme: Scheme, cell: Cell): Memory {
  const known = memories.get(scheme)
  if (known !== undefined) return known
  const start = startOf(scheme, cell)
  const frozen = scheme.program.frozen.map(({ node, deviation }): [Node, Graded] => [
    node,
    randomTensor(node, deviation.power, cell),
  ])
  const given = new Map([...frozen, ...start.leaves])
  const order = inOrder(rootsOf(scheme), given)
  const places = new Map([...given.keys(), ...order].map((node, place) => [node, place]))
  const memory = {
    start,
    frozen,
    places,
    sections: sectionsOf(order, places),
    unparted: unpartedNodes(scheme),
    growths: new Map(),
    readings: new KnownReadings(),
    steps: new KnownSteps(),
  }
  memories.set(scheme, memory)
  return memory
}

function startOf({ program, start }: Scheme, cell: Cell): State {
  const leaves = new Map<Node, Graded>([...program.next.keys()].map((node) => [node, Graded.ZERO]))
  for (const [node, deviation] of start)
    leaves.set(node, deviation === "zero" ? Graded.ZERO : randomTensor(node, deviation.power, cell))
  return { leaves, applications: new Map() }
}

/** What a step reads, in this order: the next values of all leaves that move, then the watched quantities. */
export function rootsOf({ program }: Scheme): Node[] {
  return [...program.next.values(), ...Object.values(program.quantities)]
}

/** The nodes of which no part is asked for, only the size. */
export function unpartedNodes({ program }: Scheme): ReadonlySet<Node> {
  const factors = Object.values(program.alignments).flatMap(({ left, right }) => [left, right])
  return sizeOnly([...Object.values(program.quantities), ...factors], program.next)
}

/**
 * How finely a cell tells parts apart. With two symbols or more, whose regions would be too many, what a random matrix
 * makes of any vectors counts as one part: as aligned as can be.
 */
export function resolve(cell: Cell, { program: { model }, symbols }: Scheme): void {
  cell.mostBases = model.mostBases ?? Number.POSITIVE_INFINITY
  cell.tellsImagesApart = cell.keepsTerms || symbols.length < 2
}

/** One step from a state. */
export type Advance = (state: State) => StepReading

/** The step of a scheme in a cell, as a map of states; `assume` is called with every assumption that a rule makes. */
export function stepper(scheme: Scheme, cell: Cell, assume: (assumption: string) => void): Advance {
  const { program, alignments } = scheme
  const { frozen, places, sections, unparted, growths, readings, steps } = memoryOf(scheme, cell)
  resolve(cell, scheme)
  const watched = Object.entries(program.quantities)
  const readOnce = ({ leaves, applications }: State, assume: (assumption: string) => void) => {
    const nextApplications = new Map(applications)
    const values: Graded[] = []
    const tensorOf = (node: Node) => values[places.get(node)!]!
    for (const [node, value] of [...frozen, ...leaves]) values[places.get(node)!] = value
    const context: ReadingContext = {
      cell,
      alignments,
      sizeOnly: unparted,
      applications: nextApplications,
      growths,
      assume,
    }
    for (const section of sections) {
      if (cell.keepsTerms)
        // Beside the leading terms others are kept by the cell's point: such readings are for one cell alone.
        for (const { node, operands } of section.nodes) {
          const given = operands.map((place) => values[place]!)
          values.push(readNode(node, given, context))
        }
      else readings.readSection(section, values, context)
    }
    const quantities = new Map(
      watched.map(([name, node]): [string, WatchedSize] => {
        const value = tensorOf(node)
        const moments = cell.keepsTerms ? momentsOf(node, tensorOf, cell) : []
        return [name, { size: value.size(cell), isOrthogonal: value.isOrthogonal, moments }]
      }),
    )
    if (cell.keepsTerms) {
      for (const [name, { product, left, right }] of Object.entries(program.alignments)) {
        const [of, x, y] = [product, left, right].map((node) => tensorOf(node).size(cell))
        const terms = lead(x ?? ZERO)
          .plus(lead(y ?? ZERO))
          .plus(left.shape[1].exponent)
        const size = of ? shifted(of, terms.negated) : null
        // Where a factor is a sum of several terms, the ratio approaches its limit like a quotient of moments; and so do
        // the factors that are made of such quotients.
        const below = [left, right].flatMap((factor) => momentsOf(factor, tensorOf, cell))
        const moments = [...[x, y].flatMap((factor) => factor ?? []), ...below]
        quantities.set(name, { size, isOrthogonal: size === null || size.terms.length === 1, moments })
      }
      for (const [name, { change, scale }] of Object.entries(program.saturations)) {
        const [of, at] = [change, scale].map((node) => node && tensorOf(node).size(cell))
        const size = of ? shifted(of, at ? lead(at).negated : Affine.ZERO) : null
        quantities.set(name, { size, isOrthogonal: false, moments: [] })
      }
    }
    const after = (node: Node, value: Graded) => {
      const next = program.next.get(node)
      return next === undefined ? value : tensorOf(next)
    }
    return {
      state: {
        leaves: new Map([...leaves].map(([node, value]) => [node, after(node, value)])),
        applications: nextApplications,
      },
      quantities,
    }
  }
  const read = (state: State, assume: (assumption: string) => void): StepReading => {
    const { found, questions } = cell.asking(() => readOnce(state, assume))
    return { ...found, questions }
  }
  return (state) =>
    cell.keepsTerms ? read(state, assume) : steps.read(state, cell, assume, (into) => read(state, into))
}

/**
 * The sizes under each scale-free function (a sign, Adam's quotient, an orthogonalisation) and each norm that clips,
 * that the node depends on; what came before is in earlier steps.
 */
function momentsOf(node: Node, tensorOf: (node: Node) => Graded, cell: Cell): Size[] {
  return inOrder([node]).flatMap((each) => {
    const sizeOfOperand = (i: number) => {
      const size = tensorOf(each.operands[i]!).size(cell)
      return size === null ? [] : [size]
    }
    if (each.is("sign") || each.is("orthogonalise")) return sizeOfOperand(0)
    // An ε that is not negligible shows in the entries that are near it or below, whose share falls as its distance.
    if (each.is("rootRatio")) {
      const { power } = each.attributes.epsilon
      return sizeOfOperand(0).map((size) => (power === null ? size : { ...size, terms: [...size.terms, power] }))
    }
    if (each.is("precondition")) return sizeOfOperand(1)
    // What a norm is changed by far beyond itself approaches its limit as the norm before it falls behind.
    if (each.is("inverseRootChange")) {
      const [change, at] = [0, 1].map((i) => sizeOfOperand(i)[0])
      if (!change || !at || cell.compare(lead(change), lead(at)) <= 0) return []
      return [{ ...change, terms: [lead(change), lead(at)].map((form) => form.times("1/2")) }]
    }
    // At a finite width some seeds are clipped and others not: the share falls as the norm's distance from the bound.
    if (each.is("clip"))
      return sizeOfOperand(1).map((size) => ({ ...size, terms: [...size.terms, each.attributes.bound.power] }))
    return []
  })
}
