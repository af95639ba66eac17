import { type Changed, unchanged } from "./changed.js"
import { Node } from "./node.js"
import type { Op } from "./operation.js"
import type { Row } from "./operations/row.js"
import { OPERATIONS } from "./operations/table.js"

/**
 * What a forward pass makes of changes: each tensor before and after, and its exact change, as nodes of the same
 * program.
 *
 * Dual to reverse mode. A change is never the difference of two nearly equal numbers, so f − f₀ is exact however small
 * it is beside f.
 *
 * @param given the changes that are known; they may depend on what else came out, such as an adapter's on its input.
 * @throws Error for an operation that belongs to gradients or updates and depends on a change.
 */
export function change(
  roots: readonly Node[],
  given: ReadonlyMap<Node, (of: (node: Node) => Changed) => Changed>,
): Map<Node, Changed> {
  const found = new Map<Node, Changed>()
  const of = (node: Node): Changed => {
    const known = found.get(node) ?? given.get(node)?.(of) ?? changeOf(node, node.operands.map(of))
    found.set(node, known)
    return known
  }
  roots.forEach(of)
  return found
}

function changeOf(node: Node, operands: readonly Changed[]): Changed {
  if (operands.every(({ before, change }, i) => change.isZero && before === node.operands[i])) return unchanged(node)
  const { change: rule } = OPERATIONS[node.op] as Row<Op>
  if (rule === null) throw new Error(`${node.op} belongs to gradients or updates and has no exact change here`)
  const before = Node.of(
    node.op,
    operands.map((operand) => operand.before),
    node.attributes,
  )
  return { ...rule(node, operands), before }
}
