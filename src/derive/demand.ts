/**
 * Which tensors are asked for the sizes of their parts, and which for their size alone.
 *
 * A second moment meets nothing but a square root, a norm nothing but a bound: of such tensors no part is ever
 * contracted with another, so their parities are not kept. Products of parities are what makes deep programs slow to
 * read.
 */
import { inOrder, type Node } from "../program/node.js"
import type { Op } from "../program/operation.js"

/** Of an operation's operands, whether the parts are asked for: always, never, or where those of the result are. */
type Ask = "always" | "never" | "as the result"

const entrywise: readonly Ask[] = ["as the result", "as the result"]

/** The operations that do not always ask for the parts of all their operands. */
const ASKS: Partial<Record<Op, readonly Ask[]>> = {
  transpose: entrywise,
  add: entrywise,
  multiply: entrywise,
  scale: entrywise,
  detach: entrywise,
  rootRatio: ["as the result", "never"],
  precondition: ["as the result", "never"],
  clip: ["as the result", "never"],
  scaleColumns: entrywise,
  softmax: ["never"],
}

/**
 * The nodes whose size alone is asked for by what the roots are made of, from step to step.
 *
 * @param roots the nodes whose parts are asked for.
 * @param next the next value of each leaf that moves.
 */
export function sizeOnly(roots: readonly Node[], next: ReadonlyMap<Node, Node>): ReadonlySet<Node> {
  const order = inOrder([...roots, ...next.values()])
  const asked = new Set<Node>(roots)
  for (let before = -1; before < asked.size; ) {
    before = asked.size
    for (const node of [...order].reverse())
      node.operands.forEach((operand, i) => {
        const ask = node.op === "norm" ? "never" : (ASKS[node.op]?.[i] ?? "always")
        if (ask === "always" || (ask === "as the result" && asked.has(node))) asked.add(operand)
      })
    for (const [leaf, value] of next) if (asked.has(leaf)) asked.add(value)
  }
  return new Set([...order, ...next.keys()].filter((node) => !asked.has(node)))
}

/** The operations that may be read of sizes alone where no parts of the result are asked for. */
export function readsSizes({ op }: Node): boolean {
  return ASKS[op]?.every((ask) => ask === "as the result") ?? false
}
