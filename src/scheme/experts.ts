import type { SchemeDefinition } from "./scheme.js"

const initA = {
  start: { A: { exponent: "-d / 2" }, B: "zero" },
  rates: { A: "c", B: "c" },
  share: "e",
  domain: "e >= 0",
  caveats: [
    "a fixed share k/E of the tokens is e = 0: it is a constant of the gradient",
    "routing is fixed, and no step leaves the expert without a token",
  ],
} as const

/** An adapter on an expert of a mixture, which sees a share n^(-e) of a batch's tokens. */
export const EXPERT_SCHEMES: readonly SchemeDefinition[] = [
  {
    name: "expert-init-a",
    title: "Init[A] on an expert that sees a share n^(-e) of the tokens, Adam",
    ...initA,
    example: { c: "-1/2", e: "1/2" },
  },
  {
    name: "expert-sgd-init-a",
    title: "Init[A] on an expert that sees a share n^(-e) of the tokens, gradient descent",
    ...initA,
    optimiser: "sgd",
    example: { c: "0", e: "1/2" },
  },
  {
    name: "expert-epsilon-init-a",
    title: "Init[A] on an expert that sees a share n^(-e) of the tokens, Adam with epsilon = 1",
    ...initA,
    epsilon: "0",
    example: { c: "1/4", e: "1/2" },
  },
]
