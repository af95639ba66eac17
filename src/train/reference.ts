/** The reference interpreter: any program in float64 or rounded, plainly. Kernels are measured against it. */
import type { Node } from "../program/node.js"
import type { Op } from "../program/operation.js"
import type { Matrix } from "./matrix.js"
import { entriesOf, type LeafValue, type Making, NUMBERS, type SpaceSizes, shapeOf } from "./numbers.js"
import type { Rounding } from "./precision.js"
import { readBy, schedule } from "./schedule.js"
import { Spare } from "./spare.js"

/** How a program is read, beyond float64: what is done to each value before others read it. */
export interface Arithmetic {
  /** What rounds every partial sum of a node that is a product or a norm; null leaves them in float64. */
  accumulator(node: Node): Rounding | null
  /** Changes the value of a node in place; `read` are the operands' values. */
  settle(node: Node, value: Matrix, read: readonly LeafValue[]): void
}

/** What an evaluation may be given besides its leaves. */
export interface EvaluateOptions {
  /** By default every value is left in float64. */
  readonly arithmetic?: Arithmetic
  /** Arrays to use again, and where those of values that nothing reads any more go. */
  readonly spare?: Spare
}

/**
 * The values of the given nodes at step t.
 *
 * @param leaves the value of every leaf that the nodes depend on; any other node in it is not evaluated either.
 */
export function evaluate(
  nodes: readonly Node[],
  leaves: ReadonlyMap<Node, LeafValue>,
  sizes: SpaceSizes,
  t: number,
  { arithmetic: reading, spare = new Spare() }: EvaluateOptions = {},
): Map<Node, Matrix> {
  const values = new Map<Node, LeafValue>(leaves)
  for (const { node, dying } of schedule(nodes, leaves)) {
    const read = readBy(node).map((operand) => values.get(operand)!)
    const giveUp = () => {
      for (const operand of dying) {
        spare.give((values.get(operand) as Matrix).data)
        values.delete(operand)
      }
    }
    // Entry by entry, the result may take the array of an operand that nothing else reads.
    const inPlace = NUMBERS[node.op].reads === "entries" && reading === undefined
    if (inPlace) giveUp()
    const result = computed(node, read, { sizes, t, spare, accumulate: reading?.accumulator(node) ?? null })
    if (!node.is("transpose")) reading?.settle(node, result, read)
    if (!inPlace) giveUp()
    values.set(node, result)
  }
  return values as Map<Node, Matrix>
}

function computed<O extends Op>(node: Node<O>, read: readonly LeafValue[], making: Making): Matrix {
  const operation = NUMBERS[node.op]
  if (operation.reads === "whole") return operation.value(node, read, making)
  const [rows, columns] = shapeOf(node, making.sizes)
  const data = making.spare.take(rows * columns)
  operation.into(
    data,
    node,
    (read as readonly Matrix[]).map((value) => value.data),
    making,
  )
  return { rows, columns, data }
}

/** A zero tensor of the node's shape. */
export function zeros(node: Node, sizes: SpaceSizes): Matrix {
  const [rows, columns] = shapeOf(node, sizes)
  return { rows, columns, data: new Float64Array(entriesOf(node, sizes)) }
}
