import type { SchemeDefinition } from "./scheme.js"

/** Init[A]: A random with entries N(0, 1/n), B zero, one rate n^c. */
export const initA: SchemeDefinition = {
  name: "init-a",
  title: "Init[A]: A random, B zero, one rate",
  source: "arXiv 2406.08447",
  start: { A: { exponent: "-d / 2" }, B: "zero" },
  rates: { A: "c", B: "c" },
  example: { c: "-1/2" },
}
