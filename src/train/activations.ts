/** The activations in numbers. */
import type { Activation } from "../program/operation.js"
import { normalBelow, normalBetween } from "./normalDistribution.js"

/** φ, φ′ and φ(at + change) − φ(at) without cancellation. */
export interface ActivationNumbers {
  readonly value: (x: number) => number
  readonly slope: (x: number) => number
  readonly change: (change: number, at: number) => number
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x))

/** x F(x) for a distribution function F; `between(c, x)` is F(x + c) − F(x) without cancellation. */
function gated(
  below: (x: number) => number,
  density: (x: number) => number,
  between: (change: number, at: number) => number,
): ActivationNumbers {
  return {
    value: (x) => x * below(x),
    slope: (x) => below(x) + x * density(x),
    change: (change, at) => change * below(at + change) + at * between(change, at),
  }
}

/** Every activation in numbers. */
export const ACTIVATIONS: Readonly<Record<Activation, ActivationNumbers>> = {
  relu: {
    value: (x) => Math.max(0, x),
    slope: (x) => (x > 0 ? 1 : 0),
    change: (change, at) => {
      if (at > 0) return at + change > 0 ? change : -at
      return Math.max(0, at + change)
    },
  },
  tanh: {
    value: Math.tanh,
    slope: (x) => 1 - Math.tanh(x) ** 2,
    // tanh(p) − tanh(q) = tanh(p − q) (1 − tanh p tanh q)
    change: (change, at) => Math.tanh(change) * (1 - Math.tanh(at + change) * Math.tanh(at)),
  },
  silu: gated(
    logistic,
    (x) => logistic(x) * logistic(-x),
    // σ(p) − σ(q) = σ(p) σ(−q) (1 − e^(q − p)), and the same with p and q, signs turned, where p < q.
    (change, at) =>
      change >= 0
        ? -logistic(at + change) * logistic(-at) * Math.expm1(-change)
        : logistic(at) * logistic(-at - change) * Math.expm1(change),
  ),
  gelu: gated(normalBelow, (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI), normalBetween),
}
