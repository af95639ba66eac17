import { inOrder, Node } from "./node.js"

/**
 * The gradients of a scalar loss in the given leaves, as nodes of the same program (reverse mode).
 *
 * A leaf that the loss does not depend on has gradient null.
 *
 * @throws Error if the loss is not 1×1 or passes through an operation that is only meant for updates.
 */
export function gradient(loss: Node, leaves: readonly Node[]): (Node | null)[] {
  if (loss.shape.join() !== "one,one") throw new Error(`a loss is a scalar, not ${loss.shape.join("×")}`)
  const adjoints = new Map<Node, Node>([[loss, Node.ONE]])
  const contribute = (node: Node, part: Node) => {
    const sum = adjoints.get(node)
    adjoints.set(node, sum === undefined ? part : sum.plus(part))
  }
  for (const node of inOrder([loss]).reverse()) {
    const adjoint = adjoints.get(node)
    if (adjoint !== undefined) backward(node, adjoint, contribute)
  }
  return leaves.map((leaf) => adjoints.get(leaf) ?? null)
}

function backward({ operation }: Node, adjoint: Node, contribute: (node: Node, part: Node) => void): void {
  switch (operation.op) {
    case "leaf":
    case "one":
    case "zero":
      return
    case "matmul":
      contribute(operation.left, adjoint.times(operation.right.transpose()))
      contribute(operation.right, operation.left.transpose().times(adjoint))
      return
    case "transpose":
      contribute(operation.of, adjoint.transpose())
      return
    case "add":
      contribute(operation.left, adjoint)
      contribute(operation.right, adjoint)
      return
    case "multiply":
      contribute(operation.left, adjoint.multiply(operation.right))
      contribute(operation.right, adjoint.multiply(operation.left))
      return
    case "scale":
      contribute(operation.of, adjoint.scale(operation.by))
      return
    case "activate":
      contribute(operation.of, adjoint.slope(operation.of, operation.by))
      return
    case "activationChange":
      // The frozen pre-activation is no argument of the loss: only the change is.
      contribute(operation.of, adjoint.slope(operation.at.plus(operation.of), operation.by))
      return
    default:
      throw new Error(`${operation.op} belongs to updates and has no gradient here`)
  }
}
