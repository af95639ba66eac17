import type { SchemeDefinition } from "./scheme.js"

const initA = { start: { A: { exponent: "-d / 2" }, B: "zero" }, rates: { A: "cA", B: "cB" } } as const

/** A matrix rule for one factor, Adam for the other, a rate for each: what the `optimiser` of a scheme may say. */
export const FACTOR_OPTIMISER_SCHEMES: readonly SchemeDefinition[] = [
  {
    name: "adam-a-muon-b",
    title: "Init[A], Adam on A, Muon on B: the raw update U V^T without a factor",
    ...initA,
    optimiser: { A: "adam", B: "muon" },
    example: { cA: "-1", cB: "1/2" },
  },
  {
    name: "adam-a-muon-original-b",
    title: "Init[A], Adam on A, Muon on B as torch has it by default, U V^T times sqrt(max(1, rows / columns))",
    source: "torch.optim.Muon",
    ...initA,
    optimiser: { A: "adam", B: "muon-original" },
    example: { cA: "-1", cB: "0" },
  },
]
