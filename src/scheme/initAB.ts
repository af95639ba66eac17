import type { SchemeDefinition } from "./scheme.js"

/** Init[AB]: entries of A N(0, n^(2 a0 − 1)) so that γ[Z_A⁰] = a0, entries of B N(0, n^(2 b0)), two rates. */
export const initAB: SchemeDefinition = {
  name: "init-ab",
  title: "Init[AB]: both random, start kept, two rates",
  source: "arXiv 2505.23194",
  start: { A: { exponent: "a0 - d / 2" }, B: { exponent: "b0" } },
  rates: { A: "cA", B: "cB" },
  example: { a0: "0", b0: "-1/2", cA: "-1/2", cB: "-1/2" },
}
