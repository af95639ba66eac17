import { Affine } from "../exponent/affine.js"
import { adafactor } from "./adafactor.js"
import type { Coefficient, MuonFactor } from "./operation.js"
import { loraRite, preconditioned } from "./preconditioned.js"
import type { Optimiser } from "./updateRule.js"

const by = (constant: number, biasCorrection?: number): Coefficient => ({
  constant,
  power: Affine.ZERO,
  ...(biasCorrection === undefined ? {} : { biasCorrection }),
})

/** Gradient descent: g = G. */
const gradientDescent: Optimiser = {
  state: [],
  step: (gradient) => ({ direction: gradient, state: [] }),
}

/** Gradient descent with heavy-ball momentum: m = 0.9 m + G, g = m. */
const momentum: Optimiser = {
  state: ["mean"],
  step: (gradient, [mean]) => {
    const next = mean!.scale(by(0.9)).plus(gradient)
    return { direction: next, state: [next] }
  },
}

/** Sign descent: g = sign(G). */
const signDescent: Optimiser = {
  state: [],
  step: (gradient) => ({ direction: gradient.sign(), state: [] }),
}

/** Lion (arXiv 2302.06675): g = sign(0.9 m + 0.1 G), m = 0.99 m + 0.01 G. */
const lion: Optimiser = {
  state: ["mean"],
  step: (gradient, [mean]) => ({
    direction: mean!
      .scale(by(0.9))
      .plus(gradient.scale(by(0.1)))
      .sign(),
    state: [mean!.scale(by(0.99)).plus(gradient.scale(by(0.01)))],
  }),
}

/** Adam with bias correction, β₁ = 0.9, β₂ = 0.999: g = m̂ / (√v̂ + ε). */
const adam: Optimiser = {
  state: ["mean", "square"],
  step: (gradient, [mean, square], { epsilon }) => {
    const [beta1, beta2] = [0.9, 0.999]
    const nextMean = mean!.scale(by(beta1)).plus(gradient.scale(by(1 - beta1)))
    const nextSquare = square!.scale(by(beta2)).plus(gradient.multiply(gradient).scale(by(1 - beta2)))
    const direction = nextMean.scale(by(1, beta1)).rootRatio(nextSquare.scale(by(1, beta2)), epsilon)
    return { direction, state: [nextMean, nextSquare] }
  },
}

/** Muon with exact orthogonalisation: m = 0.95 m + G, g = U Vᵀ of m = U S Vᵀ, times the factor of its convention. */
const muon = (factor: MuonFactor): Optimiser => ({
  state: ["mean"],
  step: (gradient, [mean]) => {
    const next = mean!.scale(by(0.95)).plus(gradient)
    return { direction: next.orthogonalise(factor), state: [next] }
  },
})

/** The update rules by name. */
export const OPTIMISERS = {
  adam,
  sign: signDescent,
  sgd: gradientDescent,
  momentum,
  lion,
  muon: muon("none"),
  "muon-original": muon("original"),
  "muon-match-rms-adamw": muon("match-rms-adamw"),
  adafactor,
  "scaled-sgd": preconditioned(gradientDescent),
  "scaled-adam": preconditioned(adam),
  "scaled-adam-in-turn": preconditioned(adam, "in turn"),
  "lora-rite": loraRite("sum"),
  "lora-rite-mean": loraRite("mean"),
} satisfies Readonly<Record<string, Optimiser>>

/** The name of an update rule. */
export type OptimiserName = keyof typeof OPTIMISERS
