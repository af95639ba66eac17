import type { SchemeDefinition } from "./scheme.js"

const initA = { start: { A: { exponent: "-d / 2" }, B: "zero" }, rates: { A: "c", B: "c" } } as const
const initB = { start: { A: "zero", B: { exponent: "0" } }, rates: { A: "c", B: "c" } } as const

/** The two schemes of the paper under other update rules and losses. */
export const OPTIMISER_SCHEMES: readonly SchemeDefinition[] = [
  { name: "sgd-init-a", title: "Init[A], gradient descent", ...initA, optimiser: "sgd", example: { c: "-1/2" } },
  { name: "sgd-init-b", title: "Init[B], gradient descent", ...initB, optimiser: "sgd", example: { c: "-1" } },
  {
    name: "momentum-init-a",
    title: "Init[A], gradient descent with momentum",
    ...initA,
    optimiser: "momentum",
    example: { c: "-1/2" },
  },
  {
    name: "lion-init-a",
    title: "Init[A], Lion",
    source: "arXiv 2302.06675",
    ...initA,
    optimiser: "lion",
    example: { c: "-1/2" },
  },
  {
    name: "muon-init-a",
    title: "Init[A], orthogonalised updates (Muon)",
    ...initA,
    optimiser: "muon",
    example: { c: "0" },
  },
  {
    name: "muon-init-b",
    title: "Init[B], orthogonalised updates (Muon)",
    ...initB,
    optimiser: "muon",
    example: { c: "-1/2" },
  },
  {
    name: "adam-epsilon",
    title: "Init[A], Adam with epsilon = n^e",
    ...initA,
    epsilon: "e",
    example: { c: "-1", e: "1/2" },
  },
  {
    name: "weight-decay",
    title: "Init[A], Adam with decoupled weight decay",
    ...initA,
    weightDecay: 0.1,
    example: { c: "-1/2" },
  },
  {
    name: "stable-lora",
    title: "Stable-LoRA: Init[A], A shrunk in each step",
    source: "arXiv 2603.05204",
    ...initA,
    shrinkage: 0.1,
    example: { c: "-1/2" },
  },
  {
    name: "squared-init-a",
    title: "Init[A], Adam, squared loss, batches of four",
    ...initA,
    loss: "squared",
    batch: 4,
    example: { c: "-3/4" },
  },
  {
    name: "squared-init-b",
    title: "Init[B], Adam, squared loss, batches of four",
    ...initB,
    loss: "squared",
    batch: 4,
    example: { c: "-1" },
  },
  {
    name: "squared-sgd-init-a",
    title: "Init[A], gradient descent, squared loss, batches of four: the residual feeds back",
    ...initA,
    optimiser: "sgd",
    loss: "squared",
    batch: 4,
    example: { c: "-1/2" },
  },
  {
    name: "toy-init-a",
    title: "LoRA+'s toy, gradient descent: scalar output, a random, b zero",
    source: "arXiv 2402.12354",
    ...initA,
    optimiser: "sgd",
    spaces: { input: "nIn", output: "one" },
    example: { c: "-1/2" },
  },
  {
    name: "toy-init-b",
    title: "LoRA+'s toy, gradient descent: scalar output, a zero, b random",
    source: "arXiv 2402.12354",
    ...initB,
    optimiser: "sgd",
    spaces: { input: "nIn", output: "one" },
    example: { c: "-1/2" },
  },
]
