import { ALONG_GRADIENT } from "./peft.js"
import type { SchemeDefinition } from "./scheme.js"

const SIGN = "the sign of B0 A0 along the gradient is drawn, where the paper's is that of a step downhill"

/**
 * Starts from singular triples that are kept, or the smallest ones: sizes as of PEFT's starts (peft.ts), `sigma` and `k`
 * as there.
 */
export const SPECTRAL_SCHEMES: readonly SchemeDefinition[] = [
  {
    name: "milora",
    title: "MiLoRA: the smallest singular triples of W*, taken from it",
    source: "arXiv 2406.09044",
    start: { A: { exponent: "sigma / 2 + k - 1/2" }, B: { exponent: "sigma / 2 - 1/2" } },
    rates: { A: "c", B: "c" },
    subtractStart: true,
    domain: "k >= 0 and k <= 1/2",
    caveats: [
      "sigma is the exponent of the smallest singular values: -1 for a square random matrix",
      "sizes of the singular vectors' entries as of random ones: n^(-1/2)",
    ],
    example: { c: "-1/2", sigma: "-1", k: "0" },
  },
  {
    name: "lora-one",
    title: "LoRA-One: both along the first gradient's leading singular vectors, kept",
    source: "arXiv 2502.01235",
    start: ALONG_GRADIENT,
    rates: { A: "c", B: "c" },
    caveats: [
      "sigma is the exponent of the factors' singular values: (1 - o)/2 for roots of the gradient's own, 0 where these are divided by the largest, as the authors' code does above 1",
      SIGN,
    ],
    example: { c: "-3/4", sigma: "-1/4" },
  },
  {
    name: "lora-one-scaled",
    title: "LoRA-One with its preconditioner, gradients over B^T B and A A^T before Adam",
    source: "arXiv 2502.01235",
    start: ALONG_GRADIENT,
    rates: { A: "c", B: "c" },
    optimiser: "scaled-adam",
    caveats: ["sigma is the exponent of the factors' singular values", SIGN],
    example: { c: "-3/4", sigma: "-1/4" },
  },
]
