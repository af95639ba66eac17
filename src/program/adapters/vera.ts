import { Affine } from "../../exponent/affine.js"
import { type AdapterForm, column, power, scaleRows } from "./form.js"

/** What every entry of d starts at: PEFT's d_initial. */
const D_INITIAL = 0.1

/**
 * VeRA (arXiv 2310.11454): α Λ_b B Λ_d A x with frozen random A and B and two trained diagonals, b from zero and d from
 * 0.1 as in PEFT's VeraConfig.
 */
export const vera: AdapterForm = {
  extras: [
    { name: "lambda_d", shape: ({ rank }) => column(rank) },
    { name: "lambda_b", shape: ({ output }) => column(output) },
  ],
  readsWeights: false,
  added: ({ A, B, lambda_d, lambda_b }, { input, multiplier }) => {
    const inner = A.after.times(input)
    const scaled = inner.scale(power(Affine.ZERO, D_INITIAL)).plus(scaleRows(inner, lambda_d!.after))
    return scaleRows(B.after.times(scaled), lambda_b!.after).scale(power(multiplier))
  },
}
