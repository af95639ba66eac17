import type { SchemeDefinition } from "./scheme.js"

/** LoRA+: Init[A] with a rate of its own for each factor. */
export const loraPlus: SchemeDefinition = {
  name: "lora-plus",
  title: "LoRA+: Init[A] with two rates",
  source: "arXiv 2402.12354",
  start: { A: { exponent: "-d / 2" }, B: "zero" },
  rates: { A: "cA", B: "cB" },
  example: { cA: "-1", cB: "0" },
}
