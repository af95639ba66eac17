import type { Op } from "../operation.js"
import { activate, activationChange, slope } from "./activations.js"
import { leaf, one, zero } from "./constants.js"
import { add, matmul, multiply, scale, transpose } from "./linear.js"
import type { Row } from "./row.js"
import { clip, norm, orthogonalise, rootRatio, sign } from "./updates.js"

/** Every operation's gradient and exact change. */
export const OPERATIONS: { readonly [O in Op]: Row<O> } = {
  leaf,
  one,
  zero,
  matmul,
  transpose,
  add,
  multiply,
  scale,
  sign,
  activate,
  slope,
  activationChange,
  rootRatio,
  orthogonalise,
  norm,
  clip,
}
