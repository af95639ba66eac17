import { Node } from "../node.js"
import type { Op } from "../operation.js"
import type { Row } from "./row.js"

/** A tensor that depends on nothing. */
const constant = <O extends Op>(): Row<O> => ({
  gradient: () => [],
  change: (node) => ({ after: node, change: Node.zero(node.shape) }),
})

export const leaf = constant<"leaf">()
export const one = constant<"one">()
export const zero = constant<"zero">()
