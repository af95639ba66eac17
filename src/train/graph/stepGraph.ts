/** A program's step as one ONNX graph: next values, sizes, loss and residual of a batch of runs side by side. */
import { inOrder, leafName, type Node } from "../../program/node.js"
import type { SpaceSizes } from "../numbers.js"
import { writeGroups } from "./groups.js"
import { OnnxGraph } from "./onnxGraph.js"
import { ONNX, sumOfSquares, type Writing } from "./operations.js"

/** What a step's graph is asked for. */
export interface StepGraphRequest {
  readonly leaves: Iterable<Node>
  /** The next value of each leaf that moves. */
  readonly next: ReadonlyMap<Node, Node>
  /** Tensors that are read as they are, row by row. */
  readonly values: readonly Node[]
  /** Tensors of which only the sum of squared entries is read. */
  readonly squares: readonly Node[]
  /** Tensors that are read as their sum over the runs, row by row. */
  readonly sums?: readonly Node[]
  /** Leaves that are given, and whose next values are read, row by row; others column by column. */
  readonly byRows?: ReadonlySet<Node>
}

/**
 * A graph for any width and number of runs: every tensor has the runs as its first dimension, or 1 where all have it in
 * common, then columns, then rows.
 */
export interface StepGraph {
  /** The ONNX model. It depends on the program alone, not on sizes, rates or the step. */
  readonly model: Uint8Array
  /** The inputs' names. */
  readonly leaves: ReadonlyMap<Node, string>
  /** The name of each leaf's next value. */
  readonly next: ReadonlyMap<Node, string>
  readonly values: readonly string[]
  readonly sums: readonly string[]
  /** The numbers that sizes and step decide, the input {@link COEFFICIENTS}; null where the program has none. */
  readonly coefficients: ((sizes: SpaceSizes, t: number) => Float32Array) | null
}

/** The input of numbers that sizes and step decide. */
export const COEFFICIENTS = "coefficients"

/** The output of sums of squares: per run one for each tensor that was asked for, float64. */
export const SQUARES = "squares"

/** The name of the first operation that has no ONNX form, or null. */
export function unwritable(roots: readonly Node[], leaves: { has(node: Node): boolean }): string | null {
  for (const { op } of inOrder(roots, leaves)) {
    const row = ONNX[op]
    if (typeof row === "string") return row
  }
  return null
}

/** Writes a step; @throws Error for an operation without an ONNX form. */
export function stepGraph({
  leaves,
  next,
  values,
  squares,
  sums = [],
  byRows = new Set(),
}: StepGraphRequest): StepGraph {
  const graph = new OnnxGraph()
  const inputs = new Map<Node, string>()
  const names = new Map<Node, string>()
  for (const leaf of leaves) {
    const name = graph.input(`${leafName(leaf)} ${inputs.size}`)
    inputs.set(leaf, name)
    names.set(leaf, byRows.has(leaf) ? graph.transposed(name, 3) : name)
  }
  const coefficients: ((sizes: SpaceSizes, t: number) => number)[] = []
  const number: Writing["number"] = (value) => {
    if (coefficients.length === 0) graph.input(COEFFICIENTS)
    return graph.node("Gather", [COEFFICIENTS, graph.constant([coefficients.push(value) - 1], [1], "int64")])
  }
  const nameOf = writeGroups(graph, [...next.values(), ...values, ...squares, ...sums], names, number)
  const output = (name: string, of: string, rowsFirst: boolean) => {
    graph.output(name, rowsFirst ? graph.transposed(of, 3) : of)
    return name
  }
  if (squares.length > 0) {
    const own = squares.map((node) => sumOfSquares(graph, nameOf(node)))
    graph.output(SQUARES, graph.node("Concat", own, { axis: 2 }), "float64")
  }
  return {
    leaves: inputs,
    next: new Map(
      [...next].map(([leaf, value]) => [leaf, output(`next ${inputs.get(leaf)!}`, nameOf(value), byRows.has(leaf))]),
    ),
    values: values.map((node, i) => output(`value ${i}`, nameOf(node), true)),
    sums: sums.map((node, i) => {
      const all = graph.node("ReduceSum", [nameOf(node), graph.constant([0], [1], "int64")], { keepdims: 1 })
      return output(`sum ${i}`, all, true)
    }),
    coefficients:
      coefficients.length === 0 ? null : (sizes, t) => Float32Array.from(coefficients, (value) => value(sizes, t)),
    model: graph.model(),
  }
}
