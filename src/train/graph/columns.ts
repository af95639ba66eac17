/** Operations on the columns of a matrix as ONNX nodes: a column is a token, rows are the second of three dimensions. */
import { FREQUENCY } from "../columns.js"
import { type OnnxGraph, oneLess, times, zero } from "./onnxGraph.js"

const ROWS = { axes: [1], keepdims: 1 }

/** The sum of each column, a row. */
export function sum(graph: OnnxGraph, x: string): string {
  return graph.node("ReduceSum", [x, graph.constant([1], [1], "int64")], { keepdims: 1 })
}

/** eˣ over its sum in each column, over the rows up to the column's own number where it is causal. */
export function softmax(graph: OnnxGraph, x: string, causal: boolean): string {
  const seen = causal ? graph.node("Where", [isSeen(graph, x), x, graph.constant([Number.NEGATIVE_INFINITY], [1])]) : x
  return graph.node("Softmax", [seen], { axis: 1 })
}

/** The upper triangle of a matrix of x's last two dimensions. */
function isSeen(graph: OnnxGraph, x: string): string {
  const shape = graph.node("Shape", [x], { start: 1 })
  const [rows, columns] = graph.several("Split", [shape], { axis: 0 }, 2)
  const count = (size: string) => {
    const scalar = graph.node("Squeeze", [size])
    return graph.node("Range", [graph.constant([0], [], "int64"), scalar, graph.constant([1], [], "int64")])
  }
  const row = graph.node("Unsqueeze", [count(rows!), graph.constant([1], [1], "int64")])
  return graph.node("LessOrEqual", [row, count(columns!)])
}

/** p ∘ (x − Σ p x), p the softmax of at. */
export function softmaxSlope(graph: OnnxGraph, x: string, at: string, causal: boolean): string {
  return spread(graph, softmax(graph, at, causal), x)
}

/** p ∘ (x − Σ p x) in each column. */
function spread(graph: OnnxGraph, p: string, x: string): string {
  return graph.node("Mul", [p, graph.node("Sub", [x, sum(graph, graph.node("Mul", [p, x]))])])
}

/**
 * p ∘ (e − Σ p e) / Σ p (1 + e), for p the softmax of at, e = e^(x − m) − 1 and m the largest entry of x that is seen; the
 * difference of two softmaxes where x is so large that the sum below may be small.
 */
export function softmaxChange(graph: OnnxGraph, x: string, at: string, causal: boolean): string {
  const p = softmax(graph, at, causal)
  const seen = causal ? graph.node("Where", [isSeen(graph, x), x, graph.constant([Number.NEGATIVE_INFINITY], [1])]) : x
  const most = graph.node("ReduceMax", [seen], ROWS)
  // What is not seen has p = 0, whatever e is; the largest x would overflow.
  const below = graph.node("Min", [graph.node("Sub", [x, most]), zero(graph)])
  const total = sum(graph, graph.node("Mul", [p, graph.node("Exp", [below])]))
  const small = graph.node("Div", [spread(graph, p, lessOne(graph, below)), total])
  const large = graph.node("Sub", [softmax(graph, graph.node("Add", [at, x]), causal), p])
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
  const p = softmax(graph, at, false)
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

/** Rotary positions as Llama has them: rows i and i + d/2 of column j turned by the angle ± j · base^(−2i/d). */
export function rotated(graph: OnnxGraph, x: string, sign: 1 | -1): string {
  const int = (...numbers: number[]) => graph.constant(numbers, [numbers.length], "int64")
  const whole = (size: string) =>
    graph.node(
      "Cast",
      [graph.node("Range", [graph.constant([0], [], "int64"), size, graph.constant([1], [], "int64")])],
      { to: 1 },
    )
  const shape = graph.node("Shape", [x])
  const size = (at: number) => graph.node("Squeeze", [graph.node("Gather", [shape, int(at)])])
  const half = graph.node("Div", [size(1), graph.constant([2], [], "int64")])
  const share = graph.node("Div", [whole(half), graph.node("Cast", [half], { to: 1 })])
  const frequency = graph.node("Exp", [times(graph, share, -Math.log(FREQUENCY))])
  const angle = graph.node("Mul", [graph.node("Unsqueeze", [frequency, int(1)]), whole(size(2))])
  const [cosine, sine] = [graph.node("Cos", [angle]), times(graph, graph.node("Sin", [angle]), sign)]
  const [upper, lower] = graph.several("Split", [x], { axis: 1 }, 2) as [string, string]
  const turned = (from: string, other: string, operator: "Add" | "Sub") =>
    graph.node(operator, [graph.node("Mul", [from, cosine]), graph.node("Mul", [other, sine])])
  return graph.node("Concat", [turned(upper, lower, "Sub"), turned(lower, upper, "Add")], { axis: 1 })
}
