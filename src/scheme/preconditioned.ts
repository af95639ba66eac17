import type { SchemeDefinition } from "./scheme.js"

const initA = { start: { A: { exponent: "-d / 2" }, B: "zero" }, rates: { A: "c", B: "c" } } as const
const initB = { start: { A: "zero", B: { exponent: "0" } }, rates: { A: "c", B: "c" } } as const

/** Init[A] and Init[B] under rules that see the other factor (src/program/preconditioned.ts). */
export const PRECONDITIONED_SCHEMES: readonly SchemeDefinition[] = [
  {
    name: "scaled-sgd-init-a",
    title: "Init[A], scaled GD: gradients over B^T B and A A^T",
    source: "arXiv 2402.02347",
    ...initA,
    optimiser: "scaled-sgd",
    example: { c: "-1/2" },
  },
  {
    name: "scaled-sgd-init-b",
    title: "Init[B], scaled GD: gradients over B^T B and A A^T",
    source: "arXiv 2402.02347",
    ...initB,
    optimiser: "scaled-sgd",
    example: { c: "-1/2" },
  },
  {
    name: "scaled-adam-init-a",
    title: "Init[A], scaled AdamW: Adam on gradients over B^T B and A A^T",
    source: "arXiv 2402.02347",
    ...initA,
    optimiser: "scaled-adam",
    example: { c: "-1/2" },
  },
  {
    name: "scaled-adam-in-turn-init-a",
    title: "Init[A], scaled AdamW as in its authors' repository: B's rule sees A after its step",
    source: "pilancilab/Riemannian_Preconditioned_LoRA, AdamWr",
    ...initA,
    optimiser: "scaled-adam-in-turn",
    // At c = -1/2 exponents are seen from n = 2^12 on only (docs/theory.md, rules that see the other factor).
    example: { c: "-3/4" },
  },
  {
    name: "lora-rite-init-a",
    title: "Init[A], LoRA-RITE: updates that do not depend on how BA is split into its factors",
    source: "arXiv 2410.20625",
    ...initA,
    optimiser: "lora-rite",
    example: { c: "0" },
  },
  {
    name: "lora-rite-init-b",
    title: "Init[B], LoRA-RITE: updates that do not depend on how BA is split into its factors",
    source: "arXiv 2410.20625",
    ...initB,
    optimiser: "lora-rite",
    example: { c: "0" },
  },
  {
    name: "lora-rite-mean-init-a",
    title: "Init[A], LoRA-RITE as in its authors' repository: second moments are means, updates sqrt(n) times as large",
    source: "gkevinyen5418/LoRA-RITE",
    ...initA,
    optimiser: "lora-rite-mean",
    example: { c: "-1/2" },
  },
]
