/**
 * What nodes were read as, kept over the cells and steps of a scheme, one by one and section by section.
 *
 * A node's reading depends on its operands, on what its random matrices were applied to, and on how the cell answers
 * the comparisons that it asks, one after the other. So readings of the same operands form a tree of questions: where a
 * cell answers as another one did, what was read there is taken over, and the same is asked of the cell. Tensors of
 * equal parts are one object here, so that the same operands are found again.
 */
import type { Node } from "../program/node.js"
import { Answers } from "./answers.js"
import { ByList, remembered } from "./byList.js"
import type { Graded } from "./graded.js"
import type { Questions } from "./questions.js"
import { type Applications, mapSides, SIDES } from "./randomMatrix.js"
import { type ReadingContext, readNode } from "./read.js"
import type { Section } from "./section.js"

/** All that a reading leaves behind. */
interface Reading {
  readonly results: readonly Graded[]
  readonly questions: Questions
  readonly applications: readonly (readonly [Node, Applications])[]
  readonly assumptions: readonly string[]
  readonly usesGaps: boolean
}

/** Readings by the tensors that they read; undefined stands for what a matrix was not applied to yet. */
type Places = ByList<Graded | undefined, Answers<Reading>>

/** The readings of one scheme so far: of its program's sections, and of their nodes. */
export class KnownReadings {
  private readonly known = new Map<Section | Node, ReadingsOfOne>()
  private readonly tensors = new Map<string, Graded>()

  /**
   * Reads the nodes of a section, from memory where a cell of the same answers was there before.
   *
   * @param values of all nodes before the section, to which those of its own are added.
   */
  readSection(section: Section, values: Graded[], context: ReadingContext): void {
    const inputs = section.inputs.map((place) => values[place]!)
    const results = this.read(section, inputs, context, (within) => {
      const from = values.length
      for (const { node, operands } of section.nodes) {
        const given = operands.map((place) => values[place]!)
        values.push(...this.read(node, given, within, (own) => [readNode(node, given, own)]))
      }
      return values.splice(from)
    })
    values.push(...results)
  }

  private read(
    of: Section | Node,
    operands: readonly Graded[],
    context: ReadingContext,
    read: (context: ReadingContext) => readonly Graded[],
  ): readonly Graded[] {
    const { cell, applications, assume } = context
    const place = this.placeOf(of, operands, applications)
    place.kept ??= new Answers<Reading>()
    const at = place.kept.of(cell)
    if (at !== null) {
      cell.ask(at.questions)
      for (const [leaf, after] of at.applications) applications.set(leaf, after)
      at.assumptions.forEach(assume)
      cell.usesGaps ||= at.usesGaps
      return at.results
    }
    const reading = this.readAnew(operands, context, read)
    place.kept.add(reading.questions.distinct, reading)
    return reading.results
  }

  private readAnew(
    operands: readonly Graded[],
    context: ReadingContext,
    read: (context: ReadingContext) => readonly Graded[],
  ): Reading {
    const { cell, applications, assume } = context
    const usedGaps = cell.usesGaps
    const assumptions = new Set<string>()
    cell.usesGaps = false
    const { found, questions } = cell.asking(() => read({ ...context, assume: (text) => void assumptions.add(text) }))
    const reading = {
      results: found.map((tensor) => this.one(tensor)),
      questions,
      applications: matricesOf(operands).flatMap((leaf): [Node, Applications][] => {
        const after = applications.get(leaf)
        return after === undefined ? [] : [[leaf, mapSides(after, (side) => this.one(side))]]
      }),
      assumptions: [...assumptions],
      usesGaps: cell.usesGaps,
    }
    cell.usesGaps ||= usedGaps
    for (const [leaf, after] of reading.applications) applications.set(leaf, after)
    reading.assumptions.forEach(assume)
    return reading
  }

  /** The place of all that a reading depends on beside the cell's answers. */
  private placeOf(
    of: Section | Node,
    operands: readonly Graded[],
    applications: ReadonlyMap<Node, Applications>,
  ): Places {
    return remembered(this.known, of, () => new ReadingsOfOne()).placeOf(operands, applications)
  }

  /** The tensor of equal parts that was there first. */
  private one(tensor: Graded): Graded {
    const { key } = tensor
    const first = this.tensors.get(key) ?? tensor
    this.tensors.set(key, first)
    return first
  }
}

/** The readings of one section or node by the tensors that it reads. */
class ReadingsOfOne {
  private readonly places: Places = new ByList()
  private lastOperands: readonly Graded[] = []
  private lastPlace = this.places

  /** The place of all that a reading depends on beside the cell's answers: from one step to the next mostly the same. */
  placeOf(operands: readonly Graded[], applications: ReadonlyMap<Node, Applications>): Places {
    if (operands.length !== this.lastOperands.length || operands.some((each, i) => each !== this.lastOperands[i])) {
      this.lastOperands = operands
      this.lastPlace = operands.reduce((place, operand) => place.followedBy(operand), this.places)
    }
    let place = this.lastPlace
    for (const { randoms } of operands)
      for (const { leaf } of randoms) for (const side of SIDES) place = place.followedBy(applications.get(leaf)?.[side])
    return place
  }
}

/** The random matrices among the operands' terms. */
function matricesOf(operands: readonly Graded[]): Node[] {
  return operands.flatMap(({ randoms }) => randoms.map(({ leaf }) => leaf))
}
