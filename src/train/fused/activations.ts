/** The activations in a loop: `ActivationNumbers` by additions, products and quotients alone. */
import type { Activation } from "../../program/operation.js"
import type { LoopCode, Value } from "./loopCode.js"

/** φ, φ′ and φ(at + change) − φ(at), as `ActivationNumbers`. */
interface ActivationLoop {
  readonly value: (code: LoopCode, x: Value) => Value
  readonly slope: (code: LoopCode, x: Value) => Value
  readonly change: (code: LoopCode, change: Value, at: Value) => Value
}

/** Every activation in a loop; null for one whose function has no short form. */
export const ACTIVATIONS: Readonly<Record<Activation, ActivationLoop | null>> = {
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
  gelu: null,
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

/** Below the first eˣ − 1 is −1; beyond the last it is taken for that of the last, so that quotients stay numbers. */
const [LEAST, MOST] = [-60, 700]

/** Of fdlibm's exponential: e^r = 1 + r + r c / (2 − c), c = r − r² P(r²), for |r| ≤ ln 2 / 2. */
const P = [
  0.16666666666666602, -0.0027777777777015593, 0.00006613756321437934, -0.0000016533902205465252, 4.1381367970572385e-8,
]

/** eˣ − 1 with a small relative error: 2ᵏ (e^r − 1) + (2ᵏ − 1), x = k ln 2 + r. */
function exponentialLess1(code: LoopCode, of: Value): Value {
  const { apply, constant } = { apply: code.apply.bind(code), constant: code.constant.bind(code) }
  const x = apply("max", apply("min", of, constant(MOST)), constant(LEAST))
  const k = apply("nearest", apply("mul", x, constant(1 / Math.LN2)))
  const high = apply("sub", x, apply("mul", k, constant(0.6931471803691238)))
  const r = apply("sub", high, apply("mul", k, constant(1.9082149292705877e-10)))
  const square = apply("mul", r, r)
  const [first, ...rest] = [...P].reverse().map(constant) as [Value, ...Value[]]
  const polynomial = rest.reduce((sum, each) => apply("add", each, apply("mul", square, sum)), first)
  const c = apply("sub", r, apply("mul", square, polynomial))
  const own = apply("add", r, apply("div", apply("mul", r, c), apply("sub", constant(2), c)))
  const power = code.powerOfTwo(k)
  return apply("add", apply("mul", power, own), apply("sub", power, constant(1)))
}
