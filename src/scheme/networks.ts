import type { SchemeDefinition } from "./scheme.js"

const initA = { start: { A: { exponent: "-1/2" }, B: "zero" }, rates: { A: "c", B: "c" }, optimiser: "sign" } as const
const initB = { start: { A: "zero", B: { exponent: "0" } }, rates: { A: "c", B: "c" }, optimiser: "sign" } as const

/** Several frozen ReLU layers with an adapter each. */
export const NETWORK_SCHEMES: readonly SchemeDefinition[] = [
  { name: "two-layers-init-a", title: "Init[A] on two layers", ...initA, layers: 2, example: { c: "-3/4" } },
  { name: "two-layers-init-b", title: "Init[B] on two layers", ...initB, layers: 2, example: { c: "-1" } },
  { name: "three-layers-init-a", title: "Init[A] on three layers", ...initA, layers: 3, example: { c: "-3/4" } },
  { name: "three-layers-init-b", title: "Init[B] on three layers", ...initB, layers: 3, example: { c: "-1" } },
]
