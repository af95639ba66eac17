import type { Node } from "../program/node.js"

/** A node and the places of its operands' values among the values of a step. */
export interface PlacedNode {
  readonly node: Node
  readonly operands: readonly number[]
}

/** Nodes of a program that are read one after the other, and the places of the values from before that they read. */
export interface Section {
  readonly nodes: readonly PlacedNode[]
  readonly inputs: readonly number[]
}

/** From one step to the next a few nodes are read as something else; that shows in a few sections of this length. */
const LENGTH = 24

/** The program in sections, each node at the place after the one before it. */
export function sectionsOf(order: readonly Node[], places: ReadonlyMap<Node, number>): Section[] {
  const sections: Section[] = []
  for (let from = 0; from < order.length; from += LENGTH) {
    const own = order.slice(from, from + LENGTH)
    const nodes = own.map((node) => ({ node, operands: node.operands.map((operand) => places.get(operand)!) }))
    const first = places.get(own[0]!)!
    const inputs = new Set(nodes.flatMap(({ operands }) => operands).filter((place) => place < first))
    sections.push({ nodes, inputs: [...inputs] })
  }
  return sections
}
