import type { Node } from "../program/node.js"

/** A node to be evaluated, and the nodes whose values nothing reads after it. */
export interface ScheduledNode {
  readonly node: Node
  readonly dying: readonly Node[]
}

/**
 * The order in which nodes are evaluated, each after what it reads, and when a value may be given up.
 *
 * A product reads a transposed factor in place, so the transpose itself is only evaluated for others.
 *
 * @param roots the nodes whose values are kept.
 * @param given nodes that have a value already; they are never given up.
 */
export function schedule(roots: readonly Node[], given: { has(node: Node): boolean }): ScheduledNode[] {
  const order: Node[] = []
  const seen = new Set<Node>()
  const visit = (node: Node): void => {
    if (seen.has(node) || given.has(node)) return
    seen.add(node)
    for (const read of readBy(node)) visit(read)
    order.push(node)
  }
  roots.forEach(visit)
  const kept = new Set(roots)
  const last = new Map<Node, Node>()
  for (const node of order) for (const read of readBy(node)) last.set(read, node)
  return order.map((node) => ({
    node,
    dying: [...new Set(readBy(node))].filter((read) => last.get(read) === node && !kept.has(read) && !given.has(read)),
  }))
}

/** The tensors that an operation reads: its operands, a product's without the transposes. */
export function readBy(node: Node): readonly Node[] {
  return node.is("matmul") ? node.operands.map(untransposed) : node.operands
}

/** The tensor that a transpose is of, or the tensor itself. */
export function untransposed(node: Node): Node {
  return node.is("transpose") ? node.operands[0]! : node
}
