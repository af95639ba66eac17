import { unchanged } from "../changed.js"
import { product } from "../operations/linear.js"
import { type AdapterForm, power } from "./form.js"

/** LoRA (arXiv 2106.09685): α B A x, less α B₀ A₀ x where the start is subtracted. */
export const lora: AdapterForm = {
  extras: [],
  readsWeights: false,
  added: ({ A, B }, { input, multiplier }) => product(B, product(A, unchanged(input))).change.scale(power(multiplier)),
}
