import { Exponent } from "../exponent/exponent.js"
import { MaxPlus } from "../exponent/maxPlus.js"
import { inOrder, type Node } from "../program/node.js"
import { Graded } from "./graded.js"

/** A program whose exponents this engine cannot derive, with the operation and the reason. */
export class Underivable extends Error {
  constructor(operation: string, reason: string) {
    super(`no exponent is derived for ${operation}: ${reason}`)
    this.name = "Underivable"
  }
}

/**
 * The exponents of the given nodes, each operation by its rule.
 *
 * @param leaves the graded sizes of all leaves that the nodes depend on.
 * @param assume called with every assumption that a rule makes.
 * @throws Underivable for an operation without a rule here.
 */
export function readExponents(
  nodes: readonly Node[],
  leaves: ReadonlyMap<Node, Graded>,
  assume: (assumption: string) => void,
): Map<Node, Graded> {
  const values = new Map<Node, Graded>(leaves)
  for (const node of inOrder(nodes))
    if (!values.has(node))
      values.set(
        node,
        readNode(node, (x) => values.get(x)!, assume),
      )
  return values
}

function readNode(node: Node, value: (node: Node) => Graded, assume: (assumption: string) => void): Graded {
  const { operation } = node
  switch (operation.op) {
    case "leaf":
      throw new Error(`leaf ${operation.name} has no value`)
    case "one":
      return Graded.of([{ rows: [], columns: [], size: Exponent.equal(MaxPlus.ZERO) }])
    case "matmul":
      return value(operation.left).times(value(operation.right), operation.left.shape[1] === "n", assume)
    case "transpose":
      return value(operation.of).transpose()
    case "add": {
      const [x, y] = [value(operation.left), value(operation.right)]
      if (x.parts.length > 0 && y.parts.length > 0) assume("leading terms of a sum do not cancel")
      return x.plus(y)
    }
    case "multiply":
      return value(operation.left).multiply(value(operation.right))
    case "scale": {
      const factor = Exponent.equal(MaxPlus.of(operation.by.power))
      return value(operation.of).map(({ size }) => size.plus(factor))
    }
    case "sign":
      return scaleFree(value(operation.of), "sign")
    case "rootRatio": {
      const [first, second] = [value(operation.of), value(operation.over)]
      if (!second.size.value.equals(first.size.value.times(2)))
        throw new Underivable("rootRatio", "the second moment is not of the size of the squared first moment")
      assume("Adam's ε is negligible beside the gradients' entries")
      return scaleFree(first, "rootRatio")
    }
    case "relu":
    case "gate":
      throw new Underivable(operation.op, "nonlinear layers need regions, which this version does not have")
  }
}

/** An odd scale-free function of a tensor: entries Θ(1) where it is not zero, with the same parity. */
function scaleFree(of: Graded, operation: string): Graded {
  if (of.parts.length > 1)
    throw new Underivable(operation, "its argument has parts along several bases, whose gaps need regions")
  return of.map(() => Exponent.equal(MaxPlus.ZERO))
}
