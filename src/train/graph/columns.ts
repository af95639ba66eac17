/**
 * Operations on the columns of a matrix as ONNX nodes: a column is a token. Tensors lie column by column, so that a
 * column's entries are the last dimension and the columns the one before it.
 */
import { type OnnxGraph, oneLess, times, zero } from "./onnxGraph.js"

const ROWS = { axes: [-1], keepdims: 1 }

/** The sum of each column, a row. */
export function sum(graph: OnnxGraph, x: string): string {
  return graph.node("ReduceSum", [x, graph.constant([-1], [1], "int64")], { keepdims: 1 })
}

/** eˣ over its sum in each column, over the rows up to the column's own number where it is causal. */
export function softmax(graph: OnnxGraph, x: string, mask: string | null): string {
  return graph.node("Softmax", [masked(graph, x, mask)], { axis: -1 })
}

function masked(graph: OnnxGraph, x: string, mask: string | null): string {
  return mask === null ? x : graph.node("Add", [x, mask])
}

/**
 * What hides later rows from a column when it is added to x, of any matrix of x's size: 0, and −∞ below the diagonal.
 */
export function causalMask(graph: OnnxGraph, x: string): string {
  const [columns, rows] = sides(graph, x)
  const column = graph.node("Unsqueeze", [range(graph, columns), graph.constant([1], [1], "int64")])
  const isSeen = graph.node("LessOrEqual", [range(graph, rows), column])
  return graph.node("Where", [isSeen, zero(graph), graph.constant([Number.NEGATIVE_INFINITY], [1])])
}

/** How many columns and rows a matrix has, each a scalar. */
function sides(graph: OnnxGraph, x: string): readonly [string, string] {
  const both = graph.several("Split", [graph.node("Shape", [x], { start: -2 })], { axis: 0 }, 2)
  return [graph.node("Squeeze", [both[0]!]), graph.node("Squeeze", [both[1]!])]
}

/** 0, 1, … below a number. */
function range(graph: OnnxGraph, below: string): string {
  return graph.node("Range", [graph.constant([0], [], "int64"), below, graph.constant([1], [], "int64")])
}

/** p ∘ (x − Σ p x), p the softmax of at. */
export function softmaxSlope(graph: OnnxGraph, x: string, at: string, mask: string | null): string {
  return spread(graph, softmax(graph, at, mask), x)
}

/** p ∘ (x − Σ p x) in each column. */
function spread(graph: OnnxGraph, p: string, x: string): string {
  return graph.node("Mul", [p, graph.node("Sub", [x, sum(graph, graph.node("Mul", [p, x]))])])
}

/**
 * p ∘ (e − Σ p e) / Σ p (1 + e), for p the softmax of at, e = e^(x − m) − 1 and m the largest entry of x that is seen;
 * the difference of two softmaxes where x is so large that the sum below may be small.
 */
export function softmaxChange(graph: OnnxGraph, x: string, at: string, mask: string | null): string {
  const p = softmax(graph, at, mask)
  const most = graph.node("ReduceMax", [masked(graph, x, mask)], ROWS)
  // What is not seen has p = 0, whatever e is; the largest x would overflow.
  const below = graph.node("Min", [graph.node("Sub", [x, most]), zero(graph)])
  const total = sum(graph, graph.node("Mul", [p, graph.node("Exp", [below])]))
  const small = graph.node("Div", [spread(graph, p, lessOne(graph, below)), total])
  const large = graph.node("Sub", [softmax(graph, graph.node("Add", [at, x]), mask), p])
  const isLarge = graph.node("Less", [total, graph.constant([0.5], [1])])
  return graph.node("Where", [isLarge, large, small])
}

/** eˣ − 1 = 2 t / (1 − t) for t = tanh(x/2), without cancellation, for x ≤ 0. */
function lessOne(graph: OnnxGraph, x: string): string {
  const t = graph.node("Tanh", [times(graph, x, 0.5)])
  return graph.node("Div", [times(graph, t, 2), oneLess(graph, t)])
}

/** ln Σ p eˣ = m + ln(1 + Σ p (e^(x − m) − 1)) of each column, m the largest x, p the softmax of at. */
export function logSumExpChange(graph: OnnxGraph, x: string, at: string): string {
  const p = softmax(graph, at, null)
  const size = graph.node("ReduceMax", [graph.node("Abs", [x])], ROWS)
  const isSmall = graph.node("Less", [size, graph.constant([0.25], [1])])
  // Small: 2 artanh(s / (2 + s)) of s = Σ p (eˣ − 1), where nothing is subtracted from a number near it.
  const bounded = graph.node("Where", [isSmall, x, zero(graph)])
  const t = graph.node("Tanh", [times(graph, bounded, 0.5)])
  const s = sum(graph, graph.node("Mul", [p, graph.node("Div", [times(graph, t, 2), oneLess(graph, t)])]))
  const ratio = graph.node("Div", [s, graph.node("Add", [s, graph.constant([2], [1])])])
  const small = times(graph, graph.node("Atanh", [ratio]), 2)
  const most = graph.node("ReduceMax", [x], ROWS)
  const weights = graph.node("Mul", [p, graph.node("Exp", [graph.node("Sub", [x, most])])])
  const large = graph.node("Add", [most, graph.node("Log", [sum(graph, weights)])])
  return graph.node("Where", [isSmall, small, large])
}

/**
 * Cosines and sines of the angles j · base^(−2i/d), j a column, i below half of the d rows, of any matrix of x's size.
 */
export function angles(graph: OnnxGraph, x: string, base: number): { readonly cosine: string; readonly sine: string } {
  const [columns, rows] = sides(graph, x)
  const half = graph.node("Div", [rows, graph.constant([2], [], "int64")])
  const real = (whole: string) => graph.node("Cast", [whole], { to: 1 })
  const share = graph.node("Div", [real(range(graph, half)), real(half)])
  const frequency = graph.node("Exp", [times(graph, share, -Math.log(base))])
  const column = graph.node("Unsqueeze", [real(range(graph, columns)), graph.constant([1], [1], "int64")])
  const angle = graph.node("Mul", [column, frequency])
  return { cosine: graph.node("Cos", [angle]), sine: graph.node("Sin", [angle]) }
}

/** Rotary positions as Llama has them: rows i and i + d/2 of column j turned by an angle, or back. */
export function rotated(
  graph: OnnxGraph,
  x: string,
  { cosine, sine }: ReturnType<typeof angles>,
  back: boolean,
): string {
  const [upper, lower] = graph.several("Split", [x], { axis: -1 }, 2) as [string, string]
  const turned = (from: string, other: string, operator: "Add" | "Sub") =>
    graph.node(operator, [graph.node("Mul", [from, cosine]), graph.node("Mul", [other, sine])])
  const [first, second] = back ? (["Add", "Sub"] as const) : (["Sub", "Add"] as const)
  return graph.node("Concat", [turned(upper, lower, first), turned(lower, upper, second)], { axis: -1 })
}
