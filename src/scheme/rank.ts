import type { SchemeDefinition } from "./scheme.js"

const starts = { A: { exponent: "-d / 2" }, B: "zero" } as const
const rates = { A: "c", B: "c" }

/** How the multiplier depends on the rank r = n^ρ: α = r^(−κ) is n^(−κρ). */
export const RANK_SCHEMES: readonly SchemeDefinition[] = [
  {
    name: "lora-alpha",
    title: "Init[A], rank n^rho, multiplier alpha / r",
    source: "arXiv 2106.09685",
    start: starts,
    rates,
    rank: "rho",
    multiplier: "-rho",
    example: { c: "-1/2", rho: "1/4" },
  },
  {
    name: "rslora",
    title: "rsLoRA: Init[A], rank n^rho, multiplier alpha / sqrt(r)",
    source: "arXiv 2312.03732",
    start: starts,
    rates,
    rank: "rho",
    multiplier: "-rho / 2",
    example: { c: "-5/8", rho: "1/4" },
  },
  {
    name: "init-b-rank",
    title: "Init[B], N(0, 1/r), rank n^rho",
    source: "arXiv 2602.06204",
    start: { A: "zero", B: { exponent: "-rho / 2" } },
    rates,
    rank: "rho",
    example: { c: "-1", rho: "1/2" },
  },
]
