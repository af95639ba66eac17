/**
 * The operations of the program language: what each carries besides its operands, and the shape of its result.
 *
 * Each has one row in `operations/` (its gradient and its exact change) and one in every reading (exponents, numbers,
 * WGSL, names). The tables are indexed by {@link Op}: a reading that lacks an operation does not compile.
 */
import type { Affine } from "../exponent/affine.js"
import { InputError } from "../inputError.js"
import { type Dimension, isSameShape, isScalar, type Shape, SINGLE, shapeText } from "./dimension.js"

/**
 * What a leaf is: a frozen tensor of the model, a factor's start that is frozen, a trained factor, or the optimiser's
 * state of one (starting at zero).
 */
export type LeafRole = "frozen" | "start" | "trained" | "state"

/** A scalar factor constant · n^power, times 1/(1 − beta^t) at step t where `biasCorrection` is given. */
export interface Coefficient {
  readonly constant: number
  readonly power: Affine
  readonly biasCorrection?: number
}

/** Adam's ε = constant · n^power; a null power says that it is negligible, whatever its value. */
export interface Epsilon {
  readonly constant: number
  readonly power: Affine | null
}

/** An entrywise nonlinearity: silu(x) = x / (1 + e^(−x)), gelu(x) = x P(N(0, 1) < x), exactly. */
export type Activation = "relu" | "tanh" | "silu" | "gelu"

/** One of `of` equal parts, in their order from 0, of a tensor's rows; `space` is the longer space or the part's. */
export interface RowPart {
  readonly index: number
  readonly of: number
  readonly space: Dimension
}

/** Whether column j of a softmax gives weight to the rows up to j alone. */
export interface Mask {
  readonly causal: boolean
}

/**
 * What Muon multiplies U Vᵀ by: nothing; "original", √max(1, rows / columns), torch's default; "match-rms-adamw", 0.2
 * √max(rows, columns), so that a step is about as large as one of AdamW (both as in torch.optim.Muon's adjust_lr_fn).
 */
export type MuonFactor = "none" | "original" | "match-rms-adamw"

/** The base of the frequencies of rotary positions where a model says none (RoFormer, arXiv 2104.09864). */
export const ROTARY_BASE = 10_000

type None = Readonly<Record<never, never>>

/** What each operation carries besides its operands. */
export interface Attributes {
  /** A tensor that is given. */
  readonly leaf: { readonly name: string; readonly role: LeafRole }
  /** The scalar 1. */
  readonly one: None
  /** The zero tensor. */
  readonly zero: None
  /** The matrix product of two tensors. */
  readonly matmul: None
  readonly transpose: None
  readonly add: None
  /** The entrywise product. */
  readonly multiply: None
  readonly scale: { readonly by: Coefficient }
  /** The tensor itself, through which no gradient passes. */
  readonly detach: None
  /** The entrywise sign, 0 at 0. */
  readonly sign: None
  /** φ(x), entry by entry. */
  readonly activate: { readonly by: Activation }
  /** x φ′(at), entry by entry, of x and at. */
  readonly slope: { readonly by: Activation }
  /** φ(at + x) − φ(at) without cancellation, of x and at. */
  readonly activationChange: { readonly by: Activation }
  /** Σᵢ xᵢⱼ yᵢⱼ of each column j, a row. */
  readonly columnDots: None
  /** Column j of x times entry j of a row, of x and the row. */
  readonly scaleColumns: None
  /** Every column less its mean. */
  readonly centre: None
  /** 1 / √(x + ε), entry by entry. */
  readonly inverseRoot: { readonly epsilon: number }
  /** 1 / √(at + x + ε) − 1 / √(at + ε) without cancellation, of x and at. */
  readonly inverseRootChange: { readonly epsilon: number }
  /** eˣ over its sum, in each column. */
  readonly softmax: Mask
  /** p ∘ (x − Σ p x) in each column, p the softmax of at; of x and at. */
  readonly softmaxSlope: Mask
  /** softmax(at + x) − softmax(at) without cancellation, of x and at. */
  readonly softmaxChange: Mask
  /** ln Σ eˣ of each column, a row. */
  readonly logSumExp: None
  /** ln Σ e^(at + x) − ln Σ e^at of each column without cancellation, of x and at. */
  readonly logSumExpChange: None
  /** A part of the rows; its `space` is that of the part. */
  readonly rowPart: RowPart
  /** A tensor as a part of the rows of a longer one, zero elsewhere; its `space` is the longer one's. */
  readonly placeRows: RowPart
  /** Rotary positions: rows i and i + d/2 of column j turned by the angle j · base^(−2i/d), or back; d the rows. */
  readonly rotate: { readonly back: boolean; readonly base: number }
  /** x / (√y + ε), entry by entry, of x and y: Adam's direction from its two moments. */
  readonly rootRatio: { readonly epsilon: Epsilon }
  /** U Vᵀ of a matrix U S Vᵀ, times a factor of its shape: Muon's direction. */
  readonly orthogonalise: { readonly by: MuonFactor }
  /** (S + δI)^(−power) x of a tensor x and a symmetric matrix S ≥ 0 of its rows; where S + δI is singular, its inverse off the null space. A third operand F, S = FᵀF, is read in exponents alone. */
  readonly precondition: { readonly power: 1 | "1/2"; readonly damping: Epsilon }
  /** The joint Frobenius norm of some tensors, a scalar. */
  readonly norm: None
  /** x times min(1, bound / norm), x itself where the norm is zero, of x and the norm. */
  readonly clip: { readonly bound: Coefficient }
}

/** The name of an operation. */
export type Op = keyof Attributes

type ShapeRule<O extends Op> = (operands: readonly Shape[], op: Op, attributes: Attributes[O]) => Shape

const SCALAR: Shape = [SINGLE, SINGLE]
const fixed = (_: readonly Shape[], op: Op): Shape => {
  throw new Error(`${op} is made with its shape`)
}
const same = ([x, ...others]: readonly Shape[], op: Op): Shape => {
  for (const y of others) if (!isSameShape(x!, y)) throw shapeError(op, x!, y, "two tensors of one shape")
  return x!
}

/** The shape of a result by those of the operands; @throws InputError where these do not fit. */
const SHAPES: { readonly [O in Op]: ShapeRule<O> } = {
  leaf: fixed,
  one: () => SCALAR,
  zero: fixed,
  matmul: ([x, y], op) => {
    if (x![1].name !== y![0].name) throw shapeError(op, x!, y!, "columns of the left = rows of the right")
    return [x![0], y![1]]
  },
  transpose: ([x]) => [x![1], x![0]],
  add: same,
  multiply: same,
  scale: same,
  detach: same,
  sign: same,
  activate: same,
  slope: same,
  activationChange: same,
  columnDots: (operands, op) => [SINGLE, same(operands, op)[1]],
  scaleColumns: ([x, row], op) => {
    if (row![0].name !== SINGLE.name || row![1].name !== x![1].name)
      throw shapeError(op, x!, row!, "a tensor and a row of its columns")
    return x!
  },
  centre: same,
  inverseRoot: same,
  inverseRootChange: same,
  softmax: same,
  softmaxSlope: same,
  softmaxChange: same,
  logSumExp: ([x]) => [SINGLE, x![1]],
  logSumExpChange: (operands, op) => [SINGLE, same(operands, op)[1]],
  rowPart: ([x], _, { space }) => [space, x![1]],
  placeRows: ([x], _, { space }) => [space, x![1]],
  rotate: same,
  rootRatio: same,
  orthogonalise: same,
  precondition: ([x, by], op) => {
    if (!by!.every((side) => side.name === x![0].name))
      throw shapeError(op, x!, by!, "a tensor and a square matrix of its rows")
    return x!
  },
  norm: () => SCALAR,
  clip: ([x, norm], op) => {
    if (!isScalar(norm!)) throw shapeError(op, x!, norm!, "a tensor and a norm one×one")
    return x!
  },
}

/** The shape of an operation's result; @throws InputError for operands whose shapes do not fit. */
export function resultShape<O extends Op>(op: O, operands: readonly Shape[], attributes: Attributes[O]): Shape {
  const rule: ShapeRule<O> = SHAPES[op]
  return rule(operands, op, attributes)
}

function shapeError(op: Op, left: Shape, right: Shape, allowed: string): InputError {
  const given = `${shapeText(left)} and ${shapeText(right)}`
  return new InputError({ field: `program.${op}`, given, allowed, example: "matrix r×n times vector n×one" })
}
