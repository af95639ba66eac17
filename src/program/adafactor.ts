import { Affine } from "../exponent/affine.js"
import { SINGLE } from "./dimension.js"
import { Node } from "./node.js"
import type { Coefficient } from "./operation.js"
import type { Optimiser } from "./updateRule.js"

const BETA_2 = 0.999

const by = (constant: number, biasCorrection?: number): Coefficient => ({
  constant,
  power: Affine.ZERO,
  ...(biasCorrection === undefined ? {} : { biasCorrection }),
})

/**
 * Adafactor (arXiv 1804.04235): g = G / √V with V = R C / S, R and C the moving sums of squares in rows and columns and S
 * that of all entries. Without a first moment, its default; without its step relative to the parameter's size and its
 * clipping of updates; β₂ = 0.999 with bias correction in place of 1 − t^(−0.8).
 */
export const adafactor: Optimiser = {
  state: [
    { name: "rows", shape: (_, [rows]) => [rows, SINGLE] },
    { name: "columns", shape: (_, [, columns]) => [SINGLE, columns] },
    { name: "all", shape: () => [SINGLE, SINGLE] },
  ],
  step: (gradient, [rows, columns, all], { epsilon }) => {
    const mean = (before: Node, now: Node) => before.scale(by(BETA_2)).plus(now.scale(by(1 - BETA_2)))
    const flat = gradient.transpose()
    const norm = Node.norm([gradient])
    const R = mean(rows!, flat.columnDots(flat).transpose())
    const C = mean(columns!, gradient.columnDots(gradient))
    const S = mean(all!, norm.multiply(norm))
    // 1/S as a quotient by a root, which is 0 where S is.
    const over = Node.ONE.rootRatio(S.multiply(S), { constant: 1e-100, power: null })
    const square = R.times(over).times(C).scale(by(1, BETA_2))
    return { direction: gradient.rootRatio(square, epsilon), state: [R, C, S] }
  },
}
