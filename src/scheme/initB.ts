import type { SchemeDefinition } from "./scheme.js"

/** Init[B]: A zero, B random with entries Θ(1) in the width (N(0, 1/r) at fixed rank), one rate n^c. */
export const initB: SchemeDefinition = {
  name: "init-b",
  title: "Init[B]: A zero, B random, one rate",
  source: "arXiv 2406.08447",
  start: { A: "zero", B: { exponent: "0", constant: 1 / 2 } },
  rates: { A: "c", B: "c" },
  example: { c: "-1" },
}
