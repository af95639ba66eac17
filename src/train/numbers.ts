/** The operations in numbers: how each makes its value in float64. */
import type { Dimension } from "../program/dimension.js"
import type { Node } from "../program/node.js"
import type { Coefficient, Epsilon, MuonFactor, Op } from "../program/operation.js"
import { ACTIVATIONS } from "./activations.js"
import * as columns from "./columns.js"
import { GaussianMatrix } from "./gaussianMatrix.js"
import type { Matrix } from "./matrix.js"
import type { Rounding } from "./precision.js"
import { productInto } from "./product.js"
import { untransposed } from "./schedule.js"
import type { Spare } from "./spare.js"
import { inversePower } from "./symmetricPower.js"

/** The value of a leaf: a matrix, or a random one that is never formed and may only be multiplied. */
export type LeafValue = Matrix | GaussianMatrix

/** The sizes of the index spaces of a run by their names; `n` is the width. */
export interface SpaceSizes {
  readonly n: number
  readonly [space: string]: number
}

/** The size of an index space in a run; @throws Error for one that the run does not know. */
export function sizeOf({ name }: Dimension, sizes: SpaceSizes): number {
  const size = sizes[name]
  if (size === undefined) throw new Error(`no size for the space ${name}`)
  return size
}

/** Rows and columns of a node's value. */
export function shapeOf({ shape: [rows, columns] }: Node, sizes: SpaceSizes): readonly [number, number] {
  return [sizeOf(rows, sizes), sizeOf(columns, sizes)]
}

/** The number of a node's entries. */
export function entriesOf(node: Node, sizes: SpaceSizes): number {
  const [rows, columns] = shapeOf(node, sizes)
  return rows * columns
}

/** The number of a coefficient at width n and step t; its power must be a constant. */
export function coefficientValue({ constant, power, biasCorrection }: Coefficient, n: number, t: number): number {
  const correction = biasCorrection === undefined ? 1 : 1 / (1 - biasCorrection ** t)
  return constant * n ** power.constant.valueOf() * correction
}

/** Adam's ε at width n. */
export function epsilonValue({ constant, power }: Epsilon, n: number): number {
  return constant * (power === null ? 1 : n ** power.constant.valueOf())
}

/** Where a value is made: the sizes, the step, arrays to use again, and what rounds the partial sums of this node. */
export interface Making {
  readonly sizes: SpaceSizes
  readonly t: number
  readonly spare: Spare
  readonly accumulate: Rounding | null
}

/** An operation that reads its operands as a whole, and so needs an array beside theirs. */
interface Whole<O extends Op> {
  readonly reads: "whole"
  readonly value: (node: Node<O>, read: readonly LeafValue[], making: Making) => Matrix
}

/** An operation that works entry by entry: `result` may be the array of an operand. */
interface Entrywise<O extends Op> {
  readonly reads: "entries"
  readonly into: (
    result: Float64Array,
    node: Node<O>,
    read: readonly Float64Array[],
    making: Pick<Making, "sizes" | "t">,
  ) => void
}

const whole = <O extends Op>(value: Whole<O>["value"]): Whole<O> => ({ reads: "whole", value })
const entrywise = <O extends Op>(into: Entrywise<O>["into"]): Entrywise<O> => ({ reads: "entries", into })

/** Every operation in numbers. */
export const NUMBERS: { readonly [O in Op]: Whole<O> | Entrywise<O> } = {
  leaf: whole(({ attributes: { name } }) => {
    throw new Error(`leaf ${name} has no value`)
  }),
  one: entrywise((result) => {
    result[0] = 1
  }),
  zero: entrywise((result) => {
    result.fill(0)
  }),
  matmul: whole((node, read, making) => product(node, read as [LeafValue, Matrix], making)),
  transpose: whole((_, [x], { spare }) => transposed(x as Matrix, spare)),
  add: entrywise((result, _, [x, y]) => add(result, x!, y!)),
  multiply: entrywise((result, _, [x, y]) => multiply(result, x!, y!)),
  scale: entrywise((result, { attributes: { by } }, [x], { sizes, t }) =>
    scale(result, x!, coefficientValue(by, sizes.n, t)),
  ),
  detach: entrywise((result, _, [x]) => result.set(x!)),
  sign: entrywise((result, _, [x]) => sign(result, x!)),
  activate: entrywise((result, { attributes: { by } }, [x]) => mapped(result, x!, ACTIVATIONS[by].value)),
  slope: entrywise((result, { attributes: { by } }, [x, at]) => {
    const { slope } = ACTIVATIONS[by]
    paired(result, x!, at!, (of, at) => of * slope(at))
  }),
  activationChange: entrywise((result, { attributes: { by } }, [x, at]) =>
    paired(result, x!, at!, ACTIVATIONS[by].change),
  ),
  columnDots: whole((_, [x, y], { spare }) => columns.dots(x as Matrix, y as Matrix, spare)),
  scaleColumns: whole((_, [x, row], { spare }) => columns.scaled(x as Matrix, row as Matrix, spare)),
  centre: whole((_, [x], { spare }) => columns.centred(x as Matrix, spare)),
  inverseRoot: entrywise((result, { attributes: { epsilon } }, [x]) =>
    mapped(result, x!, (value) => 1 / Math.sqrt(value + epsilon)),
  ),
  // 1/p − 1/q = −(p² − q²) / (p q (p + q)) for the roots p and q after and before.
  inverseRootChange: entrywise((result, { attributes: { epsilon } }, [x, at]) =>
    paired(result, x!, at!, (change, from) => {
      const [p, q] = [Math.sqrt(from + change + epsilon), Math.sqrt(from + epsilon)]
      return -change / (p * q * (p + q))
    }),
  ),
  softmax: whole(({ attributes: { causal } }, [x], { spare }) => columns.softmax(x as Matrix, causal, spare)),
  softmaxSlope: whole(({ attributes: { causal } }, [x, at], { spare }) =>
    columns.softmaxSlope(x as Matrix, at as Matrix, causal, spare),
  ),
  softmaxChange: whole(({ attributes: { causal } }, [x, at], { spare }) =>
    columns.softmaxChange(x as Matrix, at as Matrix, causal, spare),
  ),
  logSumExp: whole((_, [x], { spare }) => columns.logSumExp(x as Matrix, spare)),
  logSumExpChange: whole((_, [x, at], { spare }) => columns.logSumExpChange(x as Matrix, at as Matrix, spare)),
  rowPart: whole(({ attributes: { index, of } }, [x], { spare }) => columns.part(x as Matrix, index, of, spare)),
  placeRows: whole((node, [x], { sizes, spare }) =>
    columns.placed(x as Matrix, node.attributes.index, sizeOf(node.shape[0], sizes), spare),
  ),
  rotate: whole(({ attributes: { back, base } }, [x], { spare }) =>
    columns.rotated(x as Matrix, base, back ? -1 : 1, spare),
  ),
  rootRatio: entrywise((result, { attributes }, [x, y], { sizes }) => {
    const epsilon = epsilonValue(attributes.epsilon, sizes.n)
    paired(result, x!, y!, (of, over) => of / (Math.sqrt(over) + epsilon))
  }),
  orthogonalise: whole(({ attributes: { by } }, [x]) => orthogonalised(x as Matrix, by)),
  precondition: whole(({ attributes: { power, damping } }, [x, by], { sizes, spare, accumulate }) => {
    const [argument, { rows: side, data: entries }] = [x as Matrix, by as Matrix]
    const inverse = inversePower(entries, side, power, epsilonValue(damping, sizes.n))
    const data = spare.take(argument.data.length)
    const [left, right] = [{ rows: side, columns: side, data: inverse }, argument]
    productInto(data, { matrix: left, transposed: false }, { matrix: right, transposed: false }, accumulate)
    return { ...argument, data }
  }),
  norm: whole((_, read, { spare, accumulate }) => jointNorm(read as Matrix[], spare, accumulate)),
  clip: entrywise((result, { attributes }, [x, norm], { sizes, t }) => {
    const bound = coefficientValue(attributes.bound, sizes.n, t)
    scale(result, x!, norm![0]! > bound ? bound / norm![0]! : 1)
  }),
}

/**
 * Whether an operation reads its operands as a whole, and so needs an array beside theirs; others go entry by entry.
 */
export function readsWhole({ op }: Node): boolean {
  return NUMBERS[op].reads === "whole"
}

function product(
  { operands: [x, y], shape }: Node,
  [left, right]: readonly [LeafValue, Matrix],
  { sizes, spare, accumulate }: Making,
): Matrix {
  const isTransposed = (side: Node) => side !== untransposed(side)
  if (left instanceof GaussianMatrix) {
    const argument = isTransposed(y!) ? transposed(right, spare) : right
    return isTransposed(x!) ? left.transposeTimes(argument) : left.times(argument)
  }
  const [rows, columns] = [sizeOf(shape[0], sizes), sizeOf(shape[1], sizes)]
  const data = spare.take(rows * columns)
  productInto(
    data,
    { matrix: left, transposed: isTransposed(x!) },
    { matrix: right, transposed: isTransposed(y!) },
    accumulate,
  )
  return { rows, columns, data }
}

/** The root of the sum of all squared entries, summed in the order of the tensors and of their entries. */
function jointNorm(of: readonly Matrix[], spare: Spare, accumulate: Rounding | null): Matrix {
  let sum = 0
  for (const { data } of of)
    if (accumulate === null) for (let i = 0; i < data.length; i++) sum += data[i]! * data[i]!
    else for (let i = 0; i < data.length; i++) sum = accumulate(sum + data[i]! * data[i]!)
  const result = spare.take(1)
  result[0] = Math.sqrt(sum)
  return { rows: 1, columns: 1, data: result }
}

// A function for each of the frequent operations, so that each loop is compiled once for what it does.

function add(result: Float64Array, x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < result.length; i++) result[i] = x[i]! + y[i]!
}

function multiply(result: Float64Array, x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < result.length; i++) result[i] = x[i]! * y[i]!
}

function scale(result: Float64Array, x: Float64Array, factor: number): void {
  for (let i = 0; i < result.length; i++) result[i] = factor * x[i]!
}

function sign(result: Float64Array, x: Float64Array): void {
  for (let i = 0; i < result.length; i++) {
    // ±1 without a branch on the sign, which no processor foresees; NaN for 0, NaN and the infinities.
    const quotient = x[i]! / Math.abs(x[i]!)
    result[i] = Number.isNaN(quotient) ? Math.sign(x[i]!) : quotient
  }
}

function mapped(result: Float64Array, x: Float64Array, f: (x: number) => number): void {
  for (let i = 0; i < result.length; i++) result[i] = f(x[i]!)
}

function paired(result: Float64Array, x: Float64Array, y: Float64Array, f: (x: number, y: number) => number): void {
  for (let i = 0; i < result.length; i++) result[i] = f(x[i]!, y[i]!)
}

function transposed({ rows, columns, data }: Matrix, spare: Spare): Matrix {
  const result = spare.take(data.length)
  if (rows === 1 || columns === 1) result.set(data)
  else for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j]!
  return { rows: columns, columns: rows, data: result }
}

const MUON_FACTORS: Readonly<Record<MuonFactor, (rows: number, columns: number) => number>> = {
  none: () => 1,
  original: (rows, columns) => Math.sqrt(Math.max(1, rows / columns)),
  "match-rms-adamw": (rows, columns) => 0.2 * Math.sqrt(Math.max(rows, columns)),
}

/**
 * U Vᵀ of the singular value decomposition times Muon's factor, singular values that are zero in floating point left at
 * zero.
 */
function orthogonalised({ rows, columns, data }: Matrix, by: MuonFactor): Matrix {
  const least = Math.min(rows, columns)
  const tall = rows >= columns
  const gram = new Float64Array(least * least)
  const at = (i: number, k: number) => (tall ? data[i * columns + k]! : data[k * columns + i]!)
  const long = Math.max(rows, columns)
  for (let p = 0; p < least; p++)
    for (let q = 0; q < least; q++) {
      let sum = 0
      for (let i = 0; i < long; i++) sum += at(i, p) * at(i, q)
      gram[p * least + q] = sum
    }
  const right: Matrix = { rows: least, columns: least, data: inversePower(gram, least, "1/2") }
  const product = new Float64Array(data.length)
  const [matrix, small] = [{ rows, columns, data }, right].map((of) => ({ matrix: of, transposed: false }))
  productInto(product, tall ? matrix! : small!, tall ? small! : matrix!, null)
  const factor = MUON_FACTORS[by](rows, columns)
  return { rows, columns, data: factor === 1 ? product : product.map((value) => factor * value) }
}
