/** The activations as ONNX nodes. */
import type { Activation } from "../../program/operation.js"
import { GAUSS } from "../normalDistribution.js"
import { isPositive, type OnnxGraph, oneLess, times, zero } from "./onnxGraph.js"

/** φ, φ′ times x, and φ(at + change) − φ(at) without cancellation. */
interface ActivationNodes {
  readonly value: (graph: OnnxGraph, x: string) => string
  readonly slope: (graph: OnnxGraph, x: string, at: string) => string
  readonly change: (graph: OnnxGraph, change: string, at: string) => string
}

/** Every activation in ONNX. */
export const ACTIVATIONS: Readonly<Record<Activation, ActivationNodes>> = {
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
  silu: gated(
    (graph, x) => graph.node("Sigmoid", [x]),
    (graph, x) => graph.node("Mul", [graph.node("Sigmoid", [x]), graph.node("Sigmoid", [graph.node("Neg", [x])])]),
    // σ(p) − σ(q) = (tanh(p/2) − tanh(q/2)) / 2 = tanh((p − q)/2) (1 − tanh(p/2) tanh(q/2)) / 2.
    (graph, change, at) => {
      const half = (x: string) => graph.node("Tanh", [times(graph, x, 0.5)])
      const both = graph.node("Mul", [half(graph.node("Add", [at, change])), half(at)])
      return times(graph, graph.node("Mul", [half(change), oneLess(graph, both)]), 0.5)
    },
  ),
  gelu: gated(normalBelow, density, (graph, change, at) => {
    // Gauss's rule where the change is small, on an axis of its own.
    const axis = graph.constant([-1], [1], "int64")
    const [wide, from] = [graph.node("Unsqueeze", [change, axis]), graph.node("Unsqueeze", [at, axis])]
    const nodes = graph.constant(
      GAUSS.flatMap(([node]) => [(1 - node) / 2, (1 + node) / 2]),
      [2 * GAUSS.length],
    )
    const weights = graph.constant(
      GAUSS.flatMap(([, weight]) => [weight / 2, weight / 2]),
      [2 * GAUSS.length],
    )
    const densities = density(graph, graph.node("Add", [from, graph.node("Mul", [wide, nodes])]))
    const mean = graph.node("ReduceSum", [graph.node("Mul", [densities, weights]), axis], { keepdims: 0 })
    const far = graph.node("Sub", [normalBelow(graph, graph.node("Add", [at, change])), normalBelow(graph, at)])
    const isFar = graph.node("Greater", [graph.node("Abs", [change]), graph.constant([1], [1])])
    return graph.node("Where", [isFar, far, graph.node("Mul", [change, mean])])
  }),
}

type Unary = (graph: OnnxGraph, x: string) => string

/** x F(x) for a distribution function F; `between` is F(at + change) − F(at) without cancellation. */
function gated(
  below: Unary,
  density: Unary,
  between: (graph: OnnxGraph, change: string, at: string) => string,
): ActivationNodes {
  return {
    value: (graph, x) => graph.node("Mul", [x, below(graph, x)]),
    slope: (graph, x, at) => {
      const rest = graph.node("Mul", [at, density(graph, at)])
      return graph.node("Mul", [x, graph.node("Add", [below(graph, at), rest])])
    },
    change: (graph, change, at) => {
      const moved = graph.node("Mul", [change, below(graph, graph.node("Add", [at, change]))])
      return graph.node("Add", [moved, graph.node("Mul", [at, between(graph, change, at)])])
    },
  }
}

/** P(N(0, 1) < x), with an absolute error of float32's spacing at 1. */
function normalBelow(graph: OnnxGraph, x: string): string {
  const erf = graph.node("Erf", [times(graph, x, Math.SQRT1_2)])
  return times(graph, graph.node("Add", [erf, graph.constant([1], [1])]), 0.5)
}

function density(graph: OnnxGraph, x: string): string {
  const exponential = graph.node("Exp", [times(graph, graph.node("Mul", [x, x]), -0.5)])
  return times(graph, exponential, 1 / Math.sqrt(2 * Math.PI))
}
