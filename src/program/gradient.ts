import { isScalar, shapeText } from "./dimension.js"
import { inOrder, Node } from "./node.js"
import type { Op } from "./operation.js"
import type { Row } from "./operations/row.js"
import { OPERATIONS } from "./operations/table.js"

/**
 * The gradients of a scalar loss in the given leaves, as nodes of the same program (reverse mode).
 *
 * A leaf that the loss does not depend on has gradient null.
 *
 * @throws Error if the loss is not 1×1 or passes through an operation that is only meant for updates.
 */
export function gradient(loss: Node, leaves: readonly Node[]): (Node | null)[] {
  if (!isScalar(loss.shape)) throw new Error(`a loss is a scalar, not ${shapeText(loss.shape)}`)
  const adjoints = new Map<Node, Node>([[loss, Node.ONE]])
  for (const node of inOrder([loss]).reverse()) {
    const adjoint = adjoints.get(node)
    if (adjoint === undefined) continue
    const { gradient: rule } = OPERATIONS[node.op] as Row<Op>
    if (rule === null) throw new Error(`${node.op} belongs to updates and has no gradient here`)
    rule(node, adjoint).forEach((part, i) => {
      const operand = node.operands[i]!
      const sum = adjoints.get(operand)
      if (part !== null) adjoints.set(operand, sum === undefined ? part : sum.plus(part))
    })
  }
  return leaves.map((leaf) => adjoints.get(leaf) ?? null)
}
