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
  /** Leaves that all runs have in common, whose first dimension is 1; by default none. */
  readonly shared?: ReadonlySet<Node>
  /** Tensors that are read as their sum over the runs, row by row. */
  readonly sums?: readonly Node[]
  /** Leaves that are given, and whose next values are read, row by row; others column by column. */
  readonly byRows?: ReadonlySet<Node>
}

/**
 * A graph for any width and number of runs: every tensor has the runs as its first dimension, then columns, then rows.
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
  shared = new Set(),
  sums = [],
  byRows = new Set(),
}: StepGraphRequest): StepGraph {
  const graph = new OnnxGraph()
  const sides = ({ shape: [rows, columns] }: Node, rowsFirst: boolean) =>
    (rowsFirst ? [rows, columns] : [columns, rows]).map(({ name }) => name)
  const inputs = new Map<Node, string>()
  const names = new Map<Node, string>()
  for (const leaf of leaves) {
    const dimensions = [shared.has(leaf) ? 1 : "runs", ...sides(leaf, byRows.has(leaf))]
    const name = graph.input(`${leafName(leaf)} ${inputs.size}`, dimensions)
    inputs.set(leaf, name)
    names.set(leaf, byRows.has(leaf) ? graph.transposed(name, 3) : name)
  }
  const coefficients: ((sizes: SpaceSizes, t: number) => number)[] = []
  const number: Writing["number"] = (value) => {
    if (coefficients.length === 0) graph.input(COEFFICIENTS, ["coefficients"])
    return graph.node("Gather", [COEFFICIENTS, graph.constant([coefficients.push(value) - 1], [1], "int64")])
  }
  const nameOf = writeGroups(graph, [...next.values(), ...values, ...squares, ...sums], names, number)
  const output = (name: string, of: string, node: Node, rowsFirst: boolean, runs: string | number = "runs") => {
    graph.output(name, rowsFirst ? graph.transposed(of, 3) : of, [runs, ...sides(node, rowsFirst)])
    return name
  }
  if (squares.length > 0) {
    const own = squares.map((node) => sumOfSquares(graph, nameOf(node)))
    graph.output(SQUARES, graph.node("Concat", own, { axis: 2 }), ["runs", 1, squares.length], "float64")
  }
  return {
    leaves: inputs,
    next: new Map(
      [...next].map(([leaf, value]) => [
        leaf,
        output(`next ${inputs.get(leaf)!}`, nameOf(value), leaf, byRows.has(leaf)),
      ]),
    ),
    values: values.map((node, i) => output(`value ${i}`, nameOf(node), node, true)),
    sums: sums.map((node, i) => {
      const all = graph.node("ReduceSum", [nameOf(node), graph.constant([0], [1], "int64")], { keepdims: 1 })
      return output(`sum ${i}`, all, node, true, 1)
    }),
    coefficients:
      coefficients.length === 0 ? null : (sizes, t) => Float32Array.from(coefficients, (value) => value(sizes, t)),
    model: graph.model(),
  }
}
