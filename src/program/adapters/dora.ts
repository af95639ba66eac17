import { Node } from "../node.js"
import { type AdapterForm, column, power, rowDots, scaleRows } from "./form.js"

/**
 * DoRA (arXiv 2402.09353): the rows of W + α B A divided by their norms ν and multiplied by a trained magnitude m, which
 * starts at the rows' own norms in W. With m relative to these, and W's rows of norm 1: y = (1 + δm) / ν ∘ (W + α B A) x
 * and ν² = 1 + 2 α ⟨B, W Aᵀ⟩ + α² ⟨B A Aᵀ, B⟩, row by row. What is added to W x is written without cancellation.
 *
 * Drawn rows have norm 1 at large n only: at a width close to the rank, ν² can come out below zero, which has no root.
 *
 * Rows belong to outputs, as in PEFT and the authors' code; the paper's text takes the norm of columns of a matrix d×k.
 *
 * @param norm whether gradients pass through ν, or ν is a constant to them: section 4.3 of the paper, and PEFT.
 */
export function dora(norm: "through" | "detached"): AdapterForm {
  return {
    extras: [{ name: "m", shape: ({ output }) => column(output) }],
    readsWeights: true,
    mostBases: 2,
    added: ({ A, B, m }, { input, weights, multiplier }) => {
      if (weights === null) throw new Error("the model has no frozen weights for DoRA's norm")
      const [a, b, moved] = [A.after, B.after, m!.after]
      const cross = rowDots(b, weights.times(a.transpose())).scale(power(multiplier, 2))
      const own = rowDots(b.times(a.times(a.transpose())), b).scale(power(multiplier.times(2)))
      const square = norm === "through" ? cross.plus(own) : cross.plus(own).detach()
      // 1/ν − 1 and (1 + δm)/ν − 1.
      const shrunk = Node.of("inverseRootChange", [square, Node.zero(square.shape)], { epsilon: 1 })
      const inverse = square.inverseRoot(1)
      const factor = shrunk.plus(moved.multiply(inverse))
      const low = b.times(a.times(input)).scale(power(multiplier))
      return low.plus(scaleRows(low, factor)).plus(scaleRows(weights.times(input), factor))
    },
  }
}
