import type { SchemeDefinition } from "./scheme.js"

const rates = { A: "c", B: "c" }
const source = "PEFT init_lora_weights"
/** Both factors along the first gradient's leading singular vectors, with singular values n^sigma. */
export const ALONG_GRADIENT = {
  A: { exponent: "sigma - 1/2", along: "gradient" },
  B: { exponent: "sigma - 1/2", along: "gradient" },
} as const
const ALIGNED = "k >= 0 and k <= 1/2"

/**
 * The starts that PEFT's `init_lora_weights` offers besides Init[A] (`True`) and Init[AB] (`False`).
 *
 * Starts taken from W*, data or gradients are given by their sizes: `sigma` is the exponent of the singular values that
 * go into the adapter (0 for a trained layer whose spectrum does not grow), `k` in [0, 1/2] says how far the data's
 * direction lies in the chosen subspace: ‖Vᵀ Z‖ = n^k, 0 if independent of it, 1/2 if the subspace holds a fixed part
 * of Z.
 */
export const PEFT_SCHEMES: readonly SchemeDefinition[] = [
  {
    name: "peft-gaussian",
    title: "gaussian: A N(0, 1/r^2), without a width factor; B zero",
    source,
    start: { A: { exponent: "-rho" }, B: "zero" },
    rates,
    example: { c: "-1/2" },
  },
  {
    name: "peft-orthogonal",
    title: "orthogonal: both random, entries O(1), B0 A0 = 0 exactly",
    source,
    start: { A: { exponent: "0" }, B: { exponent: "0" } },
    rates,
    subtractStart: true,
    caveats: ["B0 A0 = 0 exactly violates the product rule; read with the start subtracted, which is the same update"],
    example: { c: "-1" },
  },
  {
    name: "peft-pissa",
    title: "pissa, pissa_niter_k: the largest singular triples of W*, taken from it",
    source: "arXiv 2404.02948",
    start: { A: { exponent: "sigma / 2 + k - 1/2" }, B: { exponent: "sigma / 2 - 1/2" } },
    rates,
    subtractStart: true,
    domain: ALIGNED,
    caveats: ["sizes of the singular vectors' entries as of random ones: n^(-1/2)"],
    example: { c: "-1/2", sigma: "0", k: "0" },
  },
  {
    name: "peft-olora",
    title: "olora: B0 = Q, A0 = R of W* = Q R, taken from it",
    source: "arXiv 2406.01775",
    start: { A: { exponent: "sigma + k - 1/2" }, B: { exponent: "-1/2" } },
    rates,
    subtractStart: true,
    domain: ALIGNED,
    example: { c: "-1/2", sigma: "0", k: "0" },
  },
  {
    name: "peft-corda",
    title: "corda: singular triples of W* C, C the inputs' covariance, taken from W*",
    source: "arXiv 2406.05223",
    start: { A: { exponent: "sigma / 2 + k - 1/2" }, B: { exponent: "sigma / 2 - 1/2" } },
    rates,
    subtractStart: true,
    domain: ALIGNED,
    caveats: ["sigma is the exponent of W* C's singular values; the inverse of C is assumed to be Theta(1)"],
    example: { c: "-1/2", sigma: "0", k: "0" },
  },
  {
    name: "peft-loftq",
    title: "loftq: singular triples of the quantisation error of W*",
    source: "arXiv 2310.08659",
    start: { A: { exponent: "sigma / 2 + k - 1/2" }, B: { exponent: "sigma / 2 - 1/2" } },
    rates,
    subtractStart: true,
    domain: ALIGNED,
    caveats: ["sigma is the exponent of the quantisation error's singular values"],
    example: { c: "-1/2", sigma: "-1/4", k: "0" },
  },
  {
    name: "peft-eva",
    title: "eva: A0 the leading right singular vectors of the inputs, B zero",
    source: "arXiv 2410.07170",
    start: { A: { exponent: "k - 1/2" }, B: "zero" },
    rates,
    domain: ALIGNED,
    caveats: ["by construction k is near 1/2: the vectors are chosen to hold the inputs"],
    example: { c: "-1/2", k: "1/2" },
  },
  {
    name: "peft-lora-ga",
    title: "lora_ga: both along the first gradient's leading singular vectors, taken from W*",
    source: "arXiv 2407.05000",
    start: ALONG_GRADIENT,
    rates,
    subtractStart: true,
    caveats: [
      "sigma is the exponent of the factors' singular values; with direction A2rBr or ArB2r see peft-lora-ga-far",
    ],
    example: { c: "-5/4", sigma: "1/4" },
  },
  {
    name: "peft-lora-ga-far",
    title: "lora_ga, ArB2r: A along the first gradient, B from singular vectors beyond its rank",
    source: "arXiv 2407.05000",
    start: { A: { exponent: "sigma - 1/2", along: "gradient" }, B: { exponent: "sigma - 1/2" } },
    rates,
    subtractStart: true,
    caveats: [
      "sigma is the exponent of the factors' singular values; B0 is read as random, its overlap with the gradient as by chance",
    ],
    example: { c: "-5/4", sigma: "1/4" },
  },
  {
    name: "mica",
    title: "mica: B frozen with orthonormal columns, A trained from zero",
    source,
    start: { A: "zero", B: { exponent: "-1/2" } },
    rates: { A: "c", B: "frozen" },
    example: { c: "-1/2" },
  },
  {
    name: "lora-fa",
    title: "LoRA-FA: A random and frozen, B trained from zero",
    source: "arXiv 2308.03303",
    start: { A: { exponent: "-d / 2" }, B: "zero" },
    rates: { A: "frozen", B: "c" },
    example: { c: "-1/4" },
  },
  {
    name: "embedding",
    title: "embedding layer: A zero, B N(0, 1), one-hot input",
    source: "PEFT",
    start: { A: "zero", B: { exponent: "0" } },
    rates,
    spaces: { input: "one", output: "n" },
    example: { c: "-1/4" },
  },
  {
    name: "head",
    title: "output head: Init[A] on a layer whose output, a vocabulary, does not grow with the width",
    source: "PEFT",
    start: { A: { exponent: "-d / 2" }, B: "zero" },
    rates,
    spaces: { input: "nIn", output: "one" },
    example: { c: "-1/2" },
  },
]
