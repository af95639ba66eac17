/** Functions that take in a change as far as their scale, and no further. */
import { inOrder, type Node } from "./node.js"

/** How far the argument of such a function changes. */
export interface Saturation {
  /** The change of the function's value. */
  readonly of: Node
  /** The change of its argument, */
  readonly change: Node
  /** and where it saturates: the argument before, of a norm's mean square; null is 1. */
  readonly scale: Node | null
}

/** The saturating functions behind some nodes as they are read, named "norm 1", "attention 1", "norm 2" and so on. */
export function saturationsOf(nodes: readonly Node[]): Record<string, Saturation> {
  const counts = new Map<string, number>()
  return Object.fromEntries(
    inOrder(nodes).flatMap((of): [string, Saturation][] => {
      const kind = kindOf(of)
      if (kind === null) return []
      const count = (counts.get(kind) ?? 0) + 1
      counts.set(kind, count)
      const [change, before] = of.operands
      return [[`${kind} ${count}`, { of, change: change!, scale: kind === "norm" ? before! : null }]]
    }),
  )
}

function kindOf(node: Node): "norm" | "attention" | "tanh" | null {
  if (node.is("inverseRootChange")) return "norm"
  if (node.is("softmaxChange")) return "attention"
  return node.is("activationChange") && node.attributes.by === "tanh" ? "tanh" : null
}
