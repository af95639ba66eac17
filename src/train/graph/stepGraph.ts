/** A program's step as one ONNX graph: next values, sizes, loss and residual of a batch of runs side by side. */
import { inOrder, leafName, type Node } from "../../program/node.js"
import type { Op } from "../../program/operation.js"
import type { SpaceSizes } from "../numbers.js"
import { OnnxGraph } from "./onnxGraph.js"
import { ONNX, sumOfSquares, type Writing } from "./operations.js"

/** What a step's graph is asked for. */
export interface StepGraphRequest {
  readonly leaves: Iterable<Node>
  /** The next value of each leaf that moves. */
  readonly next: ReadonlyMap<Node, Node>
  /** Tensors that are read as they are. */
  readonly values: readonly Node[]
  /** Tensors of which only the sum of squared entries is read. */
  readonly squares: readonly Node[]
  /** Leaves that all runs have in common, whose first dimension is 1; by default none. */
  readonly shared?: ReadonlySet<Node>
  /** Tensors that are read as their sum over the runs. */
  readonly sums?: readonly Node[]
}

/** A graph for any width and number of runs: every tensor has the runs as its first dimension. */
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
export function stepGraph({ leaves, next, values, squares, shared, sums = [] }: StepGraphRequest): StepGraph {
  const graph = new OnnxGraph()
  const dimensions = (node: Node, runs: string | number = "runs") => [runs, ...node.shape.map(({ name }) => name)]
  const names = new Map<Node, string>()
  for (const leaf of leaves) {
    const runs = shared?.has(leaf) ? 1 : "runs"
    names.set(leaf, graph.input(`${leafName(leaf)} ${names.size}`, dimensions(leaf, runs)))
  }
  const inputs = new Map(names)
  const coefficients: ((sizes: SpaceSizes, t: number) => number)[] = []
  const number: Writing["number"] = (value) => {
    if (coefficients.length === 0) graph.input(COEFFICIENTS, ["coefficients"])
    return graph.node("Gather", [COEFFICIENTS, graph.constant([coefficients.push(value) - 1], [1], "int64")])
  }
  for (const node of inOrder([...next.values(), ...values, ...squares, ...sums], inputs)) {
    const operands = node.operands.map((operand) => names.get(operand)!)
    names.set(node, written(node, { graph, operands, number }))
  }
  const output = (name: string, node: Node) => {
    graph.output(name, names.get(node)!, dimensions(node))
    return name
  }
  if (squares.length > 0) {
    const own = squares.map((node) => sumOfSquares(graph, names.get(node)!))
    graph.output(SQUARES, graph.node("Concat", own, { axis: 2 }), ["runs", 1, squares.length], "float64")
  }
  return {
    leaves: inputs,
    next: new Map([...next].map(([leaf, value]) => [leaf, output(`next ${inputs.get(leaf)!}`, value)])),
    values: values.map((node, i) => output(`value ${i}`, node)),
    sums: sums.map((node, i) => {
      const over = graph.constant([0], [1], "int64")
      graph.output(`sum ${i}`, graph.node("ReduceSum", [names.get(node)!, over], { keepdims: 1 }), dimensions(node, 1))
      return `sum ${i}`
    }),
    coefficients:
      coefficients.length === 0 ? null : (sizes, t) => Float32Array.from(coefficients, (value) => value(sizes, t)),
    model: graph.model(),
  }
}

function written<O extends Op>(node: Node<O>, writing: Writing): string {
  const row = ONNX[node.op]
  if (typeof row === "string") throw new Error(`${row} has no ONNX form`)
  return row(node, writing)
}
