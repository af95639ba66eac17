/**
 * What nodes were read as, kept over the cells and steps of a scheme.
 *
 * A node's reading depends on its operands, on what its random matrices were applied to, and on how the cell answers
 * the comparisons that it asks, one after the other. So readings of the same operands form a tree of questions: where a
 * cell answers as another one did, what was read there is taken over, and the same is asked of the cell. Tensors of
 * equal parts are one object here, so that the same operands are found again.
 */
import type { Node } from "../program/node.js"
import { Answers } from "./answers.js"
import type { Question } from "./cell.js"
import type { Graded } from "./graded.js"
import { type Applications, mapSides, SIDES } from "./randomMatrix.js"
import { type ReadingContext, readNode } from "./read.js"

/** All that a reading leaves behind. */
interface Reading {
  readonly result: Graded
  readonly questions: readonly Question[]
  readonly applications: readonly (readonly [Node, Applications])[]
  readonly assumptions: readonly string[]
  readonly usesGaps: boolean
}

/** The readings of one scheme's nodes so far. */
export class KnownReadings {
  private readonly known = new Map<Node, Map<string, Answers<Reading>>>()
  private readonly tensors = new Map<string, Graded>()
  private readonly numbers = new Map<Graded, number>()

  /** {@link readNode}, from memory where a cell of the same answers was there before. */
  read(node: Node, operands: readonly Graded[], context: ReadingContext): Graded {
    const { cell, applications, assume } = context
    const matrices = operands.flatMap(({ randoms }) => randoms.map(({ leaf }) => leaf))
    const key = this.keyOf(operands, matrices, applications)
    const ofNode = this.known.get(node) ?? new Map<string, Answers<Reading>>()
    const answers = ofNode.get(key) ?? new Answers<Reading>()
    const at = answers.of(cell)
    if (at !== null) {
      cell.ask(at.questions)
      for (const [leaf, after] of at.applications) applications.set(leaf, after)
      at.assumptions.forEach(assume)
      cell.usesGaps ||= at.usesGaps
      return at.result
    }
    const reading = this.readAnew(node, operands, context, matrices)
    answers.add(reading.questions, reading)
    ofNode.set(key, answers)
    this.known.set(node, ofNode)
    return reading.result
  }

  private readAnew(
    node: Node,
    operands: readonly Graded[],
    context: ReadingContext,
    matrices: readonly Node[],
  ): Reading {
    const { cell, applications, assume } = context
    const [from, usedGaps] = [cell.questions.length, cell.usesGaps]
    const assumptions: string[] = []
    cell.usesGaps = false
    const result = readNode(node, operands, { ...context, assume: (text) => void assumptions.push(text) })
    const reading = {
      result: this.one(result),
      questions: cell.questions.slice(from),
      applications: matrices.flatMap((leaf): [Node, Applications][] => {
        const after = applications.get(leaf)
        if (after === undefined) return []
        return [[leaf, mapSides(after, (side) => this.one(side))]]
      }),
      assumptions: [...new Set(assumptions)],
      usesGaps: cell.usesGaps,
    }
    cell.usesGaps ||= usedGaps
    for (const [leaf, after] of reading.applications) applications.set(leaf, after)
    reading.assumptions.forEach(assume)
    return reading
  }

  private keyOf(
    operands: readonly Graded[],
    matrices: readonly Node[],
    applications: ReadonlyMap<Node, Applications>,
  ): string {
    let key = ""
    for (const operand of operands) key += `${this.number(operand)} `
    for (const leaf of matrices) {
      const seen = applications.get(leaf)
      key += seen === undefined ? "- " : SIDES.map((side) => `${this.number(seen[side])} `).join("")
    }
    return key
  }

  /** The tensor of equal parts that was there first. */
  private one(tensor: Graded): Graded {
    const { key } = tensor
    const first = this.tensors.get(key) ?? tensor
    this.tensors.set(key, first)
    return first
  }

  private number(tensor: Graded): number {
    const known = this.numbers.get(tensor) ?? this.numbers.size
    this.numbers.set(tensor, known)
    return known
  }
}
