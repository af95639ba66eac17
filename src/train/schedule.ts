import { type Dimension, type Node, operands } from "../program/node.js"

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
  const read = operands(node)
  return node.operation.op === "matmul" ? read.map(untransposed) : read
}

const WHOLE: ReadonlySet<string> = new Set(["matmul", "transpose", "orthogonalise", "norm"])

/** Whether an operation reads its operands as a whole, and so needs an array beside theirs; others go entry by entry. */
export function readsWhole({ operation }: Node): boolean {
  return WHOLE.has(operation.op)
}

/** The tensor that a transpose is of, or the tensor itself. */
export function untransposed(node: Node): Node {
  return node.operation.op === "transpose" ? node.operation.of : node
}

/** The most entries that are held at once while the schedule is followed in float64, the given nodes' left out. */
export function peakEntries(steps: readonly ScheduledNode[], sizes: Readonly<Record<Dimension, number>>): number {
  const entries = (nodes: readonly Node[]) =>
    nodes.reduce((sum, { shape }) => sum + sizes[shape[0]] * sizes[shape[1]], 0)
  let [held, peak] = [0, 0]
  for (const { node, dying } of steps) {
    const after = held + entries([node]) - entries(dying)
    peak = Math.max(peak, readsWhole(node) ? held + entries([node]) : after)
    held = after
  }
  return peak
}
