/** The operations as ONNX nodes. */
import { isSingle } from "../../program/dimension.js"
import type { Node } from "../../program/node.js"
import type { Activation, Op } from "../../program/operation.js"
import { coefficientValue, epsilonValue, type Sizes } from "../numbers.js"
import type { OnnxGraph } from "./onnxGraph.js"

/** Where an operation is written: the graph so far, what its operands are called there, and numbers of a run. */
export interface Writing {
  readonly graph: OnnxGraph
  readonly operands: readonly string[]
  /** The name of a number that the sizes and the step decide. */
  readonly number: (value: (sizes: Sizes, t: number) => number) => string
}

/** Writes an operation and gives the name of its result. */
type Written<O extends Op> = (node: Node<O>, writing: Writing) => string

/** φ, φ′ times x, and φ(at + change) − φ(at) without cancellation. */
interface ActivationNodes {
  readonly value: (graph: OnnxGraph, x: string) => string
  readonly slope: (graph: OnnxGraph, x: string, at: string) => string
  readonly change: (graph: OnnxGraph, change: string, at: string) => string
}

/** Every activation in ONNX; null for one that has no form yet. */
const ACTIVATIONS: Readonly<Record<Activation, ActivationNodes | null>> = {
  relu: {
    value: (graph, x) => graph.node("Relu", [x]),
    slope: (graph, x, at) => graph.node("Where", [isPositive(graph, at), x, zero(graph)]),
    change: (graph, change, at) => {
      const after = graph.node("Add", [at, change])
      const fromPositive = graph.node("Where", [isPositive(graph, after), change, graph.node("Neg", [at])])
      return graph.node("Where", [isPositive(graph, at), fromPositive, graph.node("Relu", [after])])
    },
  },
  tanh: {
    value: (graph, x) => graph.node("Tanh", [x]),
    slope: (graph, x, at) => {
      const y = graph.node("Tanh", [at])
      return graph.node("Mul", [x, oneLess(graph, graph.node("Mul", [y, y]))])
    },
    // tanh(p) − tanh(q) = tanh(p − q) (1 − tanh p tanh q)
    change: (graph, change, at) => {
      const [p, q] = [graph.node("Tanh", [graph.node("Add", [at, change])]), graph.node("Tanh", [at])]
      return graph.node("Mul", [graph.node("Tanh", [change]), oneLess(graph, graph.node("Mul", [p, q]))])
    },
  },
  silu: null,
  gelu: null,
}

/** What has no ONNX form in a node, or null. */
export function withoutForm(node: Node): string | null {
  const row = ONNX[node.op]
  if (typeof row === "string") return row
  const by = node.is("activate") || node.is("slope") || node.is("activationChange") ? node.attributes.by : null
  return by !== null && ACTIVATIONS[by] === null ? by : null
}

/** Every operation in ONNX, or what it is called where it has none. */
export const ONNX: { readonly [O in Op]: Written<O> | string } = {
  leaf: ({ attributes: { name } }) => {
    throw new Error(`leaf ${name} is an input, not computed`)
  },
  one: (_, { graph }) => graph.constant([1], [1, 1, 1]),
  zero: (_, { graph }) => graph.constant([0], [1, 1, 1]),
  // An outer product is entry by entry: a product with a sum of one term.
  matmul: ({ operands: [left] }, { graph, operands }) =>
    graph.node(isSingle(left!.shape[1]) ? "Mul" : "MatMul", operands),
  transpose: (_, { graph, operands }) => graph.node("Transpose", operands, { perm: [0, 2, 1] }),
  add: (_, { graph, operands }) => graph.node("Add", operands),
  multiply: (_, { graph, operands }) => graph.node("Mul", operands),
  scale: ({ attributes: { by } }, { graph, operands, number }) =>
    graph.node("Mul", [operands[0]!, number((sizes, t) => coefficientValue(by, sizes.n, t))]),
  sign: (_, { graph, operands }) => graph.node("Sign", operands),
  activate: ({ attributes: { by } }, { graph, operands: [x] }) => ACTIVATIONS[by]!.value(graph, x!),
  slope: ({ attributes: { by } }, { graph, operands: [x, at] }) => ACTIVATIONS[by]!.slope(graph, x!, at!),
  activationChange: ({ attributes: { by } }, { graph, operands: [x, at] }) => ACTIVATIONS[by]!.change(graph, x!, at!),
  // A negligible ε is zero in float32, and so are the moments of a factor without a gradient.
  rootRatio: ({ attributes: { epsilon } }, { graph, operands: [x, y], number }) => {
    const root = graph.node("Add", [graph.node("Sqrt", [y!]), number((sizes) => epsilonValue(epsilon, sizes.n))])
    return graph.node("Where", [graph.node("Equal", [x!, zero(graph)]), zero(graph), graph.node("Div", [x!, root])])
  },
  columnDots: "columnDots (norms of transformers)",
  scaleColumns: "scaleColumns (norms of transformers)",
  centre: "centre (layer norm)",
  inverseRoot: "inverseRoot (norms of transformers)",
  inverseRootChange: "inverseRootChange (norms of transformers)",
  softmax: "softmax (attention)",
  softmaxSlope: "softmaxSlope (attention)",
  softmaxChange: "softmaxChange (attention)",
  logSumExp: "logSumExp (cross-entropy)",
  logSumExpChange: "logSumExpChange (cross-entropy)",
  rowPart: "rowPart (heads of attention)",
  placeRows: "placeRows (heads of attention)",
  rotate: "rotate (rotary positions)",
  orthogonalise: "orthogonalise (muon)",
  norm: (_, { graph, operands }) => {
    const sums = operands.map((operand) => sumOfSquares(graph, operand))
    const root = graph.node("Sqrt", [sums.reduce((sum, own) => graph.node("Add", [sum, own]))])
    return graph.node("Cast", [root], { to: FLOAT32 })
  },
  clip: ({ attributes }, { graph, operands: [x, norm], number }) => {
    const bound = number((sizes, t) => coefficientValue(attributes.bound, sizes.n, t))
    const beyond = graph.node("Greater", [norm!, bound])
    const factor = graph.node("Where", [beyond, graph.node("Div", [bound, norm!]), graph.constant([1], [1])])
    return graph.node("Mul", [x!, factor])
  },
}

const [FLOAT32, FLOAT64] = [1, 11]

/** Per run the sum of squared entries, 1×1 in float64, in which squares of float32 numbers neither overflow nor vanish. */
export function sumOfSquares(graph: OnnxGraph, x: string): string {
  return graph.node("ReduceSumSquare", [graph.node("Cast", [x], { to: FLOAT64 })], { axes: [1, 2], keepdims: 1 })
}

function zero(graph: OnnxGraph): string {
  return graph.constant([0], [1])
}

function isPositive(graph: OnnxGraph, x: string): string {
  return graph.node("Greater", [x, zero(graph)])
}

function oneLess(graph: OnnxGraph, x: string): string {
  return graph.node("Sub", [graph.constant([1], [1]), x])
}
