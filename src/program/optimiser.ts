import { Affine } from "../exponent/affine.js"
import type { Coefficient, Node } from "./node.js"

/** An update rule as a program: from a factor's gradient, the direction g of the step −η·g and the state after it. */
export interface Optimiser {
  readonly name: "sign" | "adam"
  /** Names of the state tensors kept per factor, all starting at zero. */
  readonly state: readonly string[]
  readonly step: (
    gradient: Node,
    state: readonly Node[],
  ) => { readonly direction: Node; readonly state: readonly Node[] }
}

const by = (constant: number, biasCorrection?: number): Coefficient => ({
  constant,
  power: Affine.ZERO,
  ...(biasCorrection === undefined ? {} : { biasCorrection }),
})

/** Sign descent: g = sign(G). */
const signDescent: Optimiser = {
  name: "sign",
  state: [],
  step: (gradient) => ({ direction: gradient.sign(), state: [] }),
}

/** Adam with bias correction, β₁ = 0.9, β₂ = 0.999, ε = 1e-8: g = m̂ / (√v̂ + ε). */
export const adam: Optimiser = {
  name: "adam",
  state: ["mean", "square"],
  step: (gradient, [mean, square]) => {
    const [beta1, beta2] = [0.9, 0.999]
    const nextMean = mean!.scale(by(beta1)).plus(gradient.scale(by(1 - beta1)))
    const nextSquare = square!.scale(by(beta2)).plus(gradient.multiply(gradient).scale(by(1 - beta2)))
    const direction = nextMean.scale(by(1, beta1)).rootRatio(nextSquare.scale(by(1, beta2)), 1e-8)
    return { direction, state: [nextMean, nextSquare] }
  },
}

/** The update rules by name. */
export const OPTIMISERS: Readonly<Record<Optimiser["name"], Optimiser>> = { sign: signDescent, adam }
