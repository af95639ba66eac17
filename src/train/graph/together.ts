/**
 * Equal work on the parts of a tensor, such as a transformer's heads, found and put side by side: a group of nodes
 * becomes one operation on a tensor with a dimension more.
 */
import { Affine } from "../../exponent/affine.js"
import { shapeText } from "../../program/dimension.js"
import { inOrder, type Node } from "../../program/node.js"
import type { Op } from "../../program/operation.js"

/** What is written as one operation: one node, or the same operation on every part of some tensors. */
export interface Group {
  readonly kind: "operation" | "sum"
  /** In the order of the parts. A sum stands for its last addition. */
  readonly nodes: readonly Node[]
  /** Of each node the tensors that it reads: its operands, a sum's terms. */
  readonly reads: readonly (readonly Node[])[]
  /** Whether the nodes are computed from parts, so that a group of others may read them as one. */
  readonly ofParts: boolean
}

/** Operations that look at whole tensors, whatever they are parts of. */
const WHOLE: readonly Op[] = ["leaf", "one", "zero", "norm", "clip", "orthogonalise"]

/** The nodes that the roots depend on in groups, each after those that it reads. */
export function groups(roots: readonly Node[], known: { has(node: Node): boolean }): Group[] {
  const order = inOrder(roots, known)
  const sums = sumsOfParts(roots, order)
  const found = new Map<string, { kind: Group["kind"]; ofParts: boolean; nodes: Node[]; reads: (readonly Node[])[] }>()
  const keyOf = new Map<Node, string>()
  const numbers = new Map<Node, number>()
  // A part in its place among zeros is a whole tensor again.
  const ofParts = (node: Node) => node.op !== "placeRows" && (found.get(keyOf.get(node) ?? "")?.ofParts ?? false)
  const own = (node: Node) => {
    const number = numbers.get(node) ?? numbers.size
    numbers.set(node, number)
    return `node ${number}`
  }
  for (const node of order) {
    if (sums.within.has(node)) continue
    const terms = sums.terms.get(node)
    const reads = terms ?? node.operands
    const parts = reads.map(ofParts)
    const isPart =
      node.op === "rowPart" ? !parts[0] : terms === undefined && parts.some(Boolean) && !WHOLE.includes(node.op)
    const of = reads.map((read) => (ofParts(read) ? keyOf.get(read)! : own(read)))
    const { index: _, ...rest } = node.attributes as { readonly index?: number }
    const key = isPart ? `${node.op} ${textOf(rest)} ${shapeText(node.shape)} (${of.join(", ")})` : own(node)
    keyOf.set(node, key)
    const group = found.get(key) ?? {
      kind: terms === undefined ? "operation" : "sum",
      ofParts: isPart,
      nodes: [],
      reads: [],
    }
    group.nodes.push(node)
    group.reads.push(reads)
    found.set(key, group)
  }
  return ordered([...found.values()], (node) => found.get(keyOf.get(node) ?? ""))
}

/** Attributes as text, equal exactly for equal ones. */
function textOf(attributes: object): string {
  return JSON.stringify(attributes, (_, value: unknown) => (value instanceof Affine ? value.key : value))
}

/** Sums over parts that are put in their places, as their terms: written as one, not as an addition each. */
function sumsOfParts(roots: readonly Node[], order: readonly Node[]) {
  const readers = new Map<Node, number>()
  const count = (node: Node) => readers.set(node, (readers.get(node) ?? 0) + 1)
  roots.forEach(count)
  for (const { operands } of order) operands.forEach(count)
  const [terms, within] = [new Map<Node, readonly Node[]>(), new Set<Node>()]
  const flat = new Map<Node, readonly Node[]>()
  for (const node of order) {
    if (!node.is("add")) continue
    const own = node.operands.flatMap((operand) => (readers.get(operand) === 1 && flat.get(operand)) || [operand])
    // Only where parts are added: the order in which others are added stays as it is.
    if (!own.every(({ op }) => op === "placeRows")) continue
    flat.set(node, own)
    for (const operand of node.operands) if (flat.has(operand) && readers.get(operand) === 1) within.add(operand)
  }
  for (const [node, own] of flat) if (!within.has(node)) terms.set(node, own)
  for (const node of within) terms.delete(node)
  return { terms, within }
}

/** Groups after those that they read. */
function ordered<G extends Group>(all: readonly G[], groupOf: (node: Node) => G | undefined): G[] {
  const result = new Set<G>()
  const visit = (group: G): void => {
    if (result.has(group)) return
    for (const reads of group.reads)
      for (const read of reads) {
        const before = groupOf(read)
        if (before !== undefined) visit(before)
      }
    result.add(group)
  }
  all.forEach(visit)
  return [...result]
}
