import type { Changed } from "../changed.js"
import type { Node } from "../node.js"
import type { Attributes, Op } from "../operation.js"
import type { Row } from "./row.js"

/** An operation that is linear in its only operand: what it does to a tensor it does to its change. */
export function linear<O extends Op>(
  of: (x: Node, attributes: Attributes[O]) => Node,
  transposed: (node: Node<O>, adjoint: Node) => Node,
): Row<O> {
  return {
    gradient: (node, adjoint) => [transposed(node, adjoint)],
    change: ({ attributes }, [x]) => ({ after: of(x!.after, attributes), change: of(x!.change, attributes) }),
  }
}

export const matmul: Row<"matmul"> = {
  gradient: ({ operands: [left, right] }, adjoint) => [
    adjoint.times(right!.transpose()),
    left!.transpose().times(adjoint),
  ],
  change: (_, [x, y]) => product(x!, y!),
}

export const transpose: Row<"transpose"> = linear(
  (x) => x.transpose(),
  (_, adjoint) => adjoint.transpose(),
)

export const add: Row<"add"> = {
  gradient: (_, adjoint) => [adjoint, adjoint],
  change: (_, [x, y]) => ({ after: x!.after.plus(y!.after), change: x!.change.plus(y!.change) }),
}

export const scale: Row<"scale"> = linear(
  (x, { by }) => x.scale(by),
  ({ attributes: { by } }, adjoint) => adjoint.scale(by),
)

/** Linear forward; backward nothing. */
export const detach: Row<"detach"> = {
  gradient: () => [null],
  change: (_, [x]) => ({ after: x!.after.detach(), change: x!.change.detach() }),
}

/** The entrywise product. */
export const multiply: Row<"multiply"> = {
  gradient: ({ operands: [left, right] }, adjoint) => [adjoint.multiply(right!), adjoint.multiply(left!)],
  change: (_, [x, y]) => changedProduct(x!, y!, (p, q) => p.multiply(q)),
}

/** A product after, with its change x y − x₀ y₀ = x (y − y₀) + (x − x₀) y₀; where x₀ or y₀ is zero, it is its own change. */
export function changedProduct(
  x: Changed,
  y: Changed,
  product: (x: Node, y: Node) => Node,
): Pick<Changed, "after" | "change"> {
  const after = product(x.after, y.after)
  if (x.before.isZero || y.before.isZero) return { after, change: after }
  return { after, change: product(x.after, y.change).plus(product(x.change, y.before)) }
}

/** The product of two tensors that change. */
export function product(x: Changed, y: Changed): Changed {
  return { before: x.before.times(y.before), ...changedProduct(x, y, (p, q) => p.times(q)) }
}
