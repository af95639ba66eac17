/** Groups of nodes as ONNX nodes. */
import type { Node } from "../../program/node.js"
import type { Op } from "../../program/operation.js"
import type { OnnxGraph } from "./onnxGraph.js"
import { ONNX, type Writing } from "./operations.js"
import { type Group, groups } from "./together.js"

/** Exchanges tokens and parts: runs × tokens × parts × rows, and back. */
const EXCHANGE = { perm: [0, 2, 1, 3] }

/**
 * Writes what the roots depend on and gives what each is called.
 *
 * @param given what the leaves are called; every tensor is runs × columns × rows.
 * @throws Error for an operation without an ONNX form.
 */
export function writeGroups(
  graph: OnnxGraph,
  roots: readonly Node[],
  given: ReadonlyMap<Node, string>,
  number: Writing["number"],
): (node: Node) => string {
  const names = new Map(given)
  // Where a group lies as a whole: runs × parts × columns × rows.
  const stacked = new Map<Group, string>()
  const groupOf = new Map<Node, Group>()
  const known = new Map<string, unknown>()
  const once: Writing["once"] = <T>(what: string, make: () => T) => {
    if (!known.has(what)) known.set(what, make())
    return known.get(what) as T
  }
  const ints = (...of: readonly number[]) => graph.constant(of, [of.length], "int64")
  const picked = (from: string, at: readonly number[], count: number) =>
    at.length === count && at.every((index, i) => index === i)
      ? from
      : graph.node("Gather", [from, ints(...at)], { axis: 1 })

  const single = (node: Node): string => {
    const name = names.get(node)
    if (name !== undefined) return name
    const group = groupOf.get(node)!
    const at = graph.constant([group.nodes.indexOf(node)], [], "int64")
    const part = graph.node("Gather", [stacked.get(group)!, at], { axis: 1 })
    const own = node.is("placeRows") ? written(node, { graph, operands: [part], dimensions: 3, number, once }) : part
    names.set(node, own)
    return own
  }

  /** What the nodes of a group read in one place, side by side. */
  const together = (reads: readonly Node[]): string => {
    const [first] = reads
    const from = groupOf.get(first!)
    if (from === undefined || !stacked.has(from) || first!.is("placeRows"))
      return graph.node("Unsqueeze", [single(first!), ints(1)])
    return picked(
      stacked.get(from)!,
      reads.map((read) => from.nodes.indexOf(read)),
      from.nodes.length,
    )
  }

  const parts = ({ nodes }: Group): string => {
    const [{ attributes, operands }] = nodes as readonly [Node<"rowPart">]
    const split = graph.node("Reshape", [single(operands[0]!), ints(0, 0, attributes.of, -1)])
    const indices = nodes.map((node) => (node as Node<"rowPart">).attributes.index)
    return picked(graph.node("Transpose", [split], EXCHANGE), indices, attributes.of)
  }

  /** A sum of parts in their places: parts of one place are added, then all places stand one after the other. */
  const joined = (terms: readonly Node<"placeRows">[]): string => {
    const from = groupOf.get(terms[0]!)
    const { of } = terms[0]!.attributes
    const places = Array.from({ length: of }, (_, index) =>
      terms.filter(({ attributes }) => attributes.index === index),
    )
    const isStacked = from !== undefined && stacked.has(from) && terms.every((term) => groupOf.get(term) === from)
    if (!isStacked || places.some(({ length }) => length !== places[0]!.length))
      return terms.map(single).reduce((sum, term) => graph.node("Add", [sum, term]))
    const layers = places[0]!.map((_, k) =>
      picked(
        stacked.get(from)!,
        places.map((own) => from.nodes.indexOf(own[k]!)),
        from.nodes.length,
      ),
    )
    const sum = layers.reduce((all, layer) => graph.node("Add", [all, layer]))
    return graph.node("Reshape", [graph.node("Transpose", [sum], EXCHANGE), ints(0, 0, -1)])
  }

  for (const group of groups(roots, given)) {
    const [node] = group.nodes
    for (const each of group.nodes) groupOf.set(each, group)
    if (group.kind === "sum") names.set(node!, joined(group.reads[0]! as readonly Node<"placeRows">[]))
    else if (group.nodes.length === 1) {
      const operands = group.reads[0]!.map(single)
      names.set(node!, written(node!, { graph, operands, dimensions: 3, number, once }))
    } else if (node!.is("rowPart")) stacked.set(group, parts(group))
    else {
      const operands = node!.operands.map((_, i) => together(group.reads.map((reads) => reads[i]!)))
      // Parts are put in their places by who reads them.
      const own = node!.is("placeRows")
        ? operands[0]!
        : written(node!, { graph, operands, dimensions: 4, number, once })
      stacked.set(group, own)
    }
  }
  return single
}

function written<O extends Op>(node: Node<O>, writing: Writing): string {
  const row = ONNX[node.op]
  if (typeof row === "string") throw new Error(`${row} has no ONNX form`)
  return row(node, writing)
}
