import type { SchemeDefinition } from "./scheme.js"

/** Adapters that train other tensors than LoRA's two factors (src/program/adapters). */
export const ADAPTER_SCHEMES: readonly SchemeDefinition[] = [
  {
    name: "vera",
    title: "VeRA: A and B random and frozen, two trained diagonals, a rate for each",
    source: "arXiv 2310.11454",
    adapter: "vera",
    start: { A: { exponent: "-d / 2" }, B: { exponent: "-rho / 2" } },
    rates: { A: "frozen", B: "frozen", lambda_d: "cd", lambda_b: "cb" },
    caveats: ["A and B by Kaiming's rule, each over its own input, as in the paper and PEFT"],
    example: { cd: "0", cb: "0" },
  },
  {
    name: "lora-xs",
    title: "LoRA-XS: A and B from the largest singular triples of W*, frozen; a trained r x r matrix between them",
    source: "arXiv 2405.17604",
    adapter: "lora-xs",
    start: { A: { exponent: "sigma + k - 1/2" }, B: { exponent: "-1/2" } },
    rates: { A: "frozen", B: "frozen", R: "c" },
    domain: "k >= 0 and k <= 1/2",
    caveats: [
      "R starts at N(0, 1e-10), read as zero; sigma is the exponent of W*'s singular values, k how far Z lies in their span",
    ],
    example: { c: "0", sigma: "0", k: "0" },
  },
  {
    name: "dora",
    title:
      "DoRA: Init[A] and a trained magnitude of every output with a rate of its own; gradients pass through the norm",
    source: "arXiv 2402.09353",
    adapter: "dora",
    start: { A: { exponent: "-d / 2" }, B: "zero" },
    rates: { A: "c", B: "c", m: "cm" },
    example: { c: "-1/2", cm: "-1/2" },
  },
  {
    name: "dora-detached",
    title: "DoRA as in PEFT, section 4.3 of its paper: the norm is a constant to gradients",
    source: "arXiv 2402.09353, PEFT use_dora",
    adapter: "dora-detached",
    start: { A: { exponent: "-d / 2" }, B: "zero" },
    rates: { A: "c", B: "c", m: "cm" },
    example: { c: "-1/2", cm: "-1/2" },
  },
]
