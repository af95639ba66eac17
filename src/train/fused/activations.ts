/** The activations in a loop: `ActivationNumbers` by additions, products and quotients alone. */
import type { Activation } from "../../program/operation.js"
import { exponentialLess1 } from "./exponential.js"
import type { LoopCode, Value } from "./loopCode.js"
import { below, between, density } from "./normal.js"

/** φ, φ′ and φ(at + change) − φ(at), as `ActivationNumbers`. */
interface ActivationLoop {
  readonly value: (code: LoopCode, x: Value) => Value
  readonly slope: (code: LoopCode, x: Value) => Value
  readonly change: (code: LoopCode, change: Value, at: Value) => Value
}

/** Every activation in a loop. */
export const ACTIVATIONS: Readonly<Record<Activation, ActivationLoop>> = {
  relu: {
    value: (code, x) => code.apply("max", code.constant(0), x),
    slope: (code, x) => code.apply("and", code.apply("gt", x, code.constant(0)), code.constant(1)),
    change: (code, change, at) => {
      const zero = code.constant(0)
      const after = code.apply("add", at, change)
      const fromAbove = code.apply("select", change, code.apply("neg", at), code.apply("gt", after, zero))
      return code.apply("select", fromAbove, code.apply("max", zero, after), code.apply("gt", at, zero))
    },
  },
  tanh: {
    value: tanh,
    slope: (code, x) => {
      const own = tanh(code, x)
      return code.apply("sub", code.constant(1), code.apply("mul", own, own))
    },
    // tanh(p) − tanh(q) = tanh(p − q) (1 − tanh p tanh q)
    change: (code, change, at) => {
      const both = code.apply("mul", tanh(code, code.apply("add", at, change)), tanh(code, at))
      return code.apply("mul", tanh(code, change), code.apply("sub", code.constant(1), both))
    },
  },
  silu: {
    value: (code, x) => code.apply("mul", x, logistic(code, x)),
    slope: (code, x) => {
      const both = code.apply("mul", logistic(code, x), logistic(code, code.apply("neg", x)))
      return code.apply("add", logistic(code, x), code.apply("mul", x, both))
    },
    // σ(p) − σ(q) = σ(p) σ(−q) (1 − e^(q − p)) for p ≥ q.
    change: (code, change, at) => {
      const after = code.apply("add", at, change)
      const [above, below] = [code.apply("max", at, after), code.apply("min", at, after)]
      const distance = code.apply("max", change, code.apply("neg", change))
      const fall = exponentialLess1(code, code.apply("neg", distance))
      const sides = code.apply("mul", logistic(code, above), logistic(code, code.apply("neg", below)))
      const lower = code.apply("mul", fall, sides)
      const rises = code.apply("gt", change, code.constant(0))
      const between = code.apply("select", code.apply("neg", lower), lower, rises)
      return code.apply("add", code.apply("mul", change, logistic(code, after)), code.apply("mul", at, between))
    },
  },
  gelu: {
    value: (code, x) => code.apply("mul", x, below(code, x)),
    slope: (code, x) => code.apply("add", below(code, x), code.apply("mul", x, density(code, x))),
    change: (code, change, at) => {
      const after = below(code, code.apply("add", at, change))
      return code.apply("add", code.apply("mul", change, after), code.apply("mul", at, between(code, change, at)))
    },
  },
}

/** 1 / (1 + e^(−x)). */
function logistic(code: LoopCode, x: Value): Value {
  const below = code.apply("add", code.constant(2), exponentialLess1(code, code.apply("neg", x)))
  return code.apply("div", code.constant(1), below)
}

/** (e^(2x) − 1) / (e^(2x) + 1). */
function tanh(code: LoopCode, x: Value): Value {
  const less = exponentialLess1(code, code.apply("add", x, x))
  return code.apply("div", less, code.apply("add", less, code.constant(2)))
}
