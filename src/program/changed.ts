import { Node } from "./node.js"

/** A tensor at two moments: before, after, and the change between them, made without cancellation. */
export interface Changed {
  readonly before: Node
  readonly after: Node
  readonly change: Node
}

/** A tensor that stays as it is. */
export function unchanged(node: Node): Changed {
  return { before: node, after: node, change: Node.zero(node.shape) }
}

/** A tensor that was zero before. */
export function fromZero(after: Node): Changed {
  return { before: Node.zero(after.shape), after, change: after }
}
