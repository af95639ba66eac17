import type { Op } from "../operation.js"
import { activate, activationChange, slope } from "./activations.js"
import { centre, columnDots, placeRows, rotate, rowPart, scaleColumns } from "./columns.js"
import { leaf, one, zero } from "./constants.js"
import { add, detach, matmul, multiply, scale, transpose } from "./linear.js"
import type { Row } from "./row.js"
import {
  inverseRoot,
  inverseRootChange,
  logSumExp,
  logSumExpChange,
  softmax,
  softmaxChange,
  softmaxSlope,
} from "./smooth.js"
import { clip, norm, orthogonalise, precondition, rootRatio, sign } from "./updates.js"

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
  detach,
  sign,
  activate,
  slope,
  activationChange,
  columnDots,
  scaleColumns,
  centre,
  inverseRoot,
  inverseRootChange,
  softmax,
  softmaxSlope,
  softmaxChange,
  logSumExp,
  logSumExpChange,
  rowPart,
  placeRows,
  rotate,
  rootRatio,
  orthogonalise,
  precondition,
  norm,
  clip,
}
