import type { Changed } from "../changed.js"
import type { Node } from "../node.js"
import type { Row } from "./row.js"

/**
 * X Y. After: before plus change, so that a matrix that is never formed is asked nothing but the change; exact where X or Y
 * was zero.
 */
export const matmul: Row<"matmul"> = {
  gradient: ({ operands: [left, right] }, adjoint) => [
    adjoint.times(right!.transpose()),
    left!.transpose().times(adjoint),
  ],
  change: (_, [x, y]) => product(x!, y!),
}

export const transpose: Row<"transpose"> = {
  gradient: (_, adjoint) => [adjoint.transpose()],
  change: (_, [x]) => ({ after: x!.after.transpose(), change: x!.change.transpose() }),
}

export const add: Row<"add"> = {
  gradient: (_, adjoint) => [adjoint, adjoint],
  change: (_, [x, y]) => ({ after: x!.after.plus(y!.after), change: x!.change.plus(y!.change) }),
}

export const scale: Row<"scale"> = {
  gradient: ({ attributes: { by } }, adjoint) => [adjoint.scale(by)],
  change: ({ attributes: { by } }, [x]) => ({ after: x!.after.scale(by), change: x!.change.scale(by) }),
}

/** The entrywise product. */
export const multiply: Row<"multiply"> = {
  gradient: ({ operands: [left, right] }, adjoint) => [adjoint.multiply(right!), adjoint.multiply(left!)],
  change: (_, [x, y]) => ({
    after: x!.after.multiply(y!.after),
    change: changeOfProduct(x!, y!, (p, q) => p.multiply(q)),
  }),
}

/** x y − x₀ y₀ = x (y − y₀) + (x − x₀) y₀, and x y where x₀ or y₀ is zero. */
function changeOfProduct(x: Changed, y: Changed, product: (x: Node, y: Node) => Node): Node {
  if (x.before.isZero || y.before.isZero) return product(x.after, y.after)
  return product(x.after, y.change).plus(product(x.change, y.before))
}

/** The product of two tensors that change. */
export function product(x: Changed, y: Changed): Changed {
  const before = x.before.times(y.before)
  const change = changeOfProduct(x, y, (p, q) => p.times(q))
  return { before, after: before.plus(change), change }
}
