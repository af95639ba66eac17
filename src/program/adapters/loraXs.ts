import { type AdapterForm, power } from "./form.js"

/**
 * LoRA-XS (arXiv 2405.17604): α B R A x with frozen A and B and a trained r×r matrix R, which the authors start at
 * N(0, 10⁻¹⁰) and which starts at zero here.
 */
export const loraXs: AdapterForm = {
  extras: [{ name: "R", shape: ({ rank }) => [rank, rank] }],
  readsWeights: false,
  added: ({ A, B, R }, { input, multiplier }) =>
    B.after.times(R!.after.times(A.after.times(input))).scale(power(multiplier)),
}
