/** The operations as ONNX nodes. */
import { Affine } from "../../exponent/affine.js"
import { isSingle, shapeText } from "../../program/dimension.js"
import type { Node } from "../../program/node.js"
import type { Op } from "../../program/operation.js"
import { coefficientValue, epsilonValue, type SpaceSizes } from "../numbers.js"
import { ACTIVATIONS } from "./activations.js"
import * as columns from "./columns.js"
import { type OnnxGraph, times, zero } from "./onnxGraph.js"

/** Where an operation is written: the graph so far, what its operands are called there, and numbers of a run. */
export interface Writing {
  readonly graph: OnnxGraph
  /** Tensors that lie column by column, and before that a run after the other: runs × columns × rows. */
  readonly operands: readonly string[]
  /** How many dimensions the operands have: three, or four where parts lie side by side behind the runs. */
  readonly dimensions: number
  /** The name of a number that the sizes and the step decide. */
  readonly number: (value: (sizes: SpaceSizes, t: number) => number) => string
  /** Something that depends on an operand's spaces alone, and so is written once for all tensors of these. */
  readonly once: <T>(what: string, make: () => T) => T
}

/** Writes an operation and gives the name of its result. */
type Written<O extends Op> = (node: Node<O>, writing: Writing) => string

/** Every operation in ONNX, or what it is called where it has none. */
export const ONNX: { readonly [O in Op]: Written<O> | string } = {
  leaf: ({ attributes: { name } }) => {
    throw new Error(`leaf ${name} is an input, not computed`)
  },
  one: (_, { graph }) => graph.constant([1], [1, 1, 1]),
  zero: (_, { graph }) => graph.constant([0], [1, 1, 1]),
  // (X Y)ᵀ = Yᵀ Xᵀ. An outer product is entry by entry: a product with a sum of one term.
  matmul: ({ operands: [left] }, { graph, operands: [x, y] }) =>
    graph.node(isSingle(left!.shape[1]) ? "Mul" : "MatMul", [y!, x!]),
  transpose: (_, { graph, operands: [x], dimensions }) => graph.transposed(x!, dimensions),
  add: (_, { graph, operands }) => graph.node("Add", operands),
  multiply: (_, { graph, operands }) => graph.node("Mul", operands),
  scale: ({ attributes: { by } }, { graph, operands: [x], number }) =>
    by.power.key === Affine.ZERO.key && by.biasCorrection === undefined
      ? times(graph, x!, by.constant)
      : graph.node("Mul", [x!, number((sizes, t) => coefficientValue(by, sizes.n, t))]),
  detach: (_, { operands: [x] }) => x!,
  sign: (_, { graph, operands }) => graph.node("Sign", operands),
  activate: ({ attributes: { by } }, { graph, operands: [x] }) => ACTIVATIONS[by].value(graph, x!),
  slope: ({ attributes: { by } }, { graph, operands: [x, at] }) => ACTIVATIONS[by].slope(graph, x!, at!),
  activationChange: ({ attributes: { by } }, { graph, operands: [x, at] }) => ACTIVATIONS[by].change(graph, x!, at!),
  // A negligible ε is zero in float32, and so are the moments of a factor without a gradient.
  rootRatio: ({ attributes: { epsilon } }, { graph, operands: [x, y], number }) => {
    const root = graph.node("Add", [graph.node("Sqrt", [y!]), number((sizes) => epsilonValue(epsilon, sizes.n))])
    return graph.node("Where", [graph.node("Equal", [x!, zero(graph)]), zero(graph), graph.node("Div", [x!, root])])
  },
  columnDots: (_, { graph, operands }) => columns.sum(graph, graph.node("Mul", operands)),
  scaleColumns: (_, { graph, operands }) => graph.node("Mul", operands),
  centre: (_, { graph, operands: [x] }) =>
    graph.node("Sub", [x!, graph.node("ReduceMean", [x!], { axes: [-1], keepdims: 1 })]),
  inverseRoot: ({ attributes: { epsilon } }, { graph, operands: [x] }) =>
    graph.node("Reciprocal", [root(graph, x!, epsilon)]),
  // 1/p − 1/q = −(p² − q²) / (p q (p + q)) for the roots p and q after and before.
  inverseRootChange: ({ attributes: { epsilon } }, { graph, operands: [x, at] }) => {
    const [p, q] = [root(graph, graph.node("Add", [at!, x!]), epsilon), root(graph, at!, epsilon)]
    const below = graph.node("Mul", [graph.node("Mul", [p, q]), graph.node("Add", [p, q])])
    return graph.node("Div", [graph.node("Neg", [x!]), below])
  },
  softmax: (node, writing) => columns.softmax(writing.graph, writing.operands[0]!, maskOf(node, writing)),
  softmaxSlope: (node, writing) => {
    const [x, at] = writing.operands
    return columns.softmaxSlope(writing.graph, x!, at!, maskOf(node, writing))
  },
  softmaxChange: (node, writing) => {
    const [x, at] = writing.operands
    return columns.softmaxChange(writing.graph, x!, at!, maskOf(node, writing))
  },
  logSumExp: (_, { graph, operands: [x] }) => graph.node("ReduceLogSumExp", [x!], { axes: [-1], keepdims: 1 }),
  logSumExpChange: (_, { graph, operands: [x, at] }) => columns.logSumExpChange(graph, x!, at!),
  rowPart: ({ attributes }, { graph, operands: [x] }) =>
    graph.several("Split", [x!], { axis: -1 }, attributes.of)[attributes.index]!,
  placeRows: ({ attributes }, { graph, operands: [x] }) => {
    const nothing = graph.node("Mul", [x!, zero(graph)])
    const parts = Array.from({ length: attributes.of }, (_, index) => (index === attributes.index ? x! : nothing))
    return graph.node("Concat", parts, { axis: -1 })
  },
  rotate: (node, { graph, operands: [x], once }) => {
    const { back, base } = node.attributes
    const angles = once(`angles ${shapeText(node.shape)} ${base}`, () => columns.angles(graph, x!, base))
    return columns.rotated(graph, x!, angles, back)
  },
  orthogonalise: "orthogonalise (muon)",
  precondition: "precondition (rules that see the other factor)",
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

/**
 * Per run the sum of squared entries, 1×1 in float64, in which squares of float32 numbers neither overflow nor vanish.
 */
export function sumOfSquares(graph: OnnxGraph, x: string): string {
  return graph.node("ReduceSumSquare", [graph.node("Cast", [x], { to: FLOAT64 })], { axes: [1, 2], keepdims: 1 })
}

/** What hides later tokens from a causal softmax. */
function maskOf(
  { attributes: { causal }, shape }: Node<"softmax" | "softmaxSlope" | "softmaxChange">,
  { graph, operands, once }: Writing,
): string | null {
  return causal ? once(`mask ${shapeText(shape)}`, () => columns.causalMask(graph, operands[0]!)) : null
}

/** √(x + ε). */
function root(graph: OnnxGraph, x: string, epsilon: number): string {
  return graph.node("Sqrt", [graph.node("Add", [x, graph.constant([epsilon], [1])])])
}
