/** The reference interpreter: any program in float64 or rounded, plainly. Kernels are measured against it. */
import { EigenvalueDecomposition, Matrix as LinearAlgebra } from "ml-matrix"
import type { Activation, Coefficient, Dimension, Node } from "../program/node.js"
import { GaussianMatrix } from "./gaussianMatrix.js"
import type { Matrix } from "./matrix.js"
import type { Rounding } from "./precision.js"
import { productInto } from "./product.js"
import { readBy, readsWhole, schedule, untransposed } from "./schedule.js"

/** The value of a leaf: a matrix, or a random one that is never formed and may only be multiplied. */
export type LeafValue = Matrix | GaussianMatrix

/** The sizes of the index spaces of a run. */
export type Sizes = Readonly<Record<Dimension, number>>

/** The number of a coefficient at width n and step t; its power must be a constant. */
export function coefficientValue({ constant, power, biasCorrection }: Coefficient, n: number, t: number): number {
  const correction = biasCorrection === undefined ? 1 : 1 / (1 - biasCorrection ** t)
  return constant * n ** power.constant.valueOf() * correction
}

/** How a program is read, beyond float64: what is done to each value before others read it. */
export interface Reading {
  /** What rounds every partial sum of a node that is a product or a norm; null leaves them in float64. */
  accumulator(node: Node): Rounding | null
  /** Changes the value of a node in place; `read` are the operands' values. */
  settle(node: Node, value: Matrix, read: readonly LeafValue[]): void
}

/** What an evaluation may be given besides its leaves. */
export interface EvaluateOptions {
  /** By default every value is left in float64. */
  readonly reading?: Reading
  /** Arrays to use again, and where those of values that nothing reads any more go. */
  readonly spare?: Spare
}

/**
 * The values of the given nodes at step t.
 *
 * @param leaves the value of every leaf that the nodes depend on; any other node in it is not evaluated either.
 */
export function evaluate(
  nodes: readonly Node[],
  leaves: ReadonlyMap<Node, LeafValue>,
  sizes: Sizes,
  t: number,
  { reading, spare = new Spare() }: EvaluateOptions = {},
): Map<Node, Matrix> {
  const values = new Map<Node, LeafValue>(leaves)
  for (const { node, dying } of schedule(nodes, leaves)) {
    const read = readBy(node).map((operand) => values.get(operand)!)
    const giveUp = () => {
      for (const operand of dying) {
        spare.give((values.get(operand) as Matrix).data)
        values.delete(operand)
      }
    }
    // Entry by entry, the result may take the array of an operand that nothing else reads.
    const isWhole = readsWhole(node)
    const inPlace = !isWhole && reading === undefined
    if (inPlace) giveUp()
    let result: Matrix
    if (isWhole) result = ofWholeTensors(node, read, sizes, spare, reading?.accumulator(node) ?? null)
    else {
      result = empty(node, sizes, spare)
      entriesInto(result.data, node, read as Matrix[], sizes, t)
    }
    if (node.operation.op !== "transpose") reading?.settle(node, result, read)
    if (!inPlace) giveUp()
    values.set(node, result)
  }
  return values as Map<Node, Matrix>
}

/** How many arrays of one length are kept for later use. */
const MOST_SPARE = 16

/** Arrays whose values nothing reads any more, by length: they spare the time of new ones. */
export class Spare {
  private readonly arrays = new Map<number, Float64Array[]>()

  /** An array of that length with any content. */
  take(length: number): Float64Array {
    return this.arrays.get(length)?.pop() ?? new Float64Array(length)
  }

  give(array: Float64Array): void {
    const known = this.arrays.get(array.length)
    if (known === undefined) this.arrays.set(array.length, [array])
    else if (known.length < MOST_SPARE) known.push(array)
  }
}

/** A tensor of the node's shape with any content. */
function empty(node: Node, sizes: Sizes, spare: Spare): Matrix {
  const [rows, columns] = [sizes[node.shape[0]], sizes[node.shape[1]]]
  return { rows, columns, data: spare.take(rows * columns) }
}

/** The value of a node whose operation reads its operands as a whole. */
function ofWholeTensors(
  node: Node,
  read: readonly LeafValue[],
  sizes: Sizes,
  spare: Spare,
  accumulate: Rounding | null,
): Matrix {
  const { operation } = node
  if (operation.op === "transpose") return transposed(read[0] as Matrix, spare)
  if (operation.op === "norm") return jointNorm(read as Matrix[], spare, accumulate)
  if (operation.op !== "matmul") return orthogonalised(read[0] as Matrix)
  const [left, right] = read as [LeafValue, Matrix]
  const isTransposed = (side: Node) => side !== untransposed(side)
  if (left instanceof GaussianMatrix) {
    const argument = isTransposed(operation.right) ? transposed(right, spare) : right
    return isTransposed(operation.left) ? left.transposeTimes(argument) : left.times(argument)
  }
  const result = empty(node, sizes, spare)
  productInto(
    result.data,
    { matrix: left, transposed: isTransposed(operation.left) },
    { matrix: right, transposed: isTransposed(operation.right) },
    accumulate,
  )
  return result
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

/** A zero tensor of the node's shape. */
export function zeros(node: Node, sizes: Sizes): Matrix {
  const [rows, columns] = [sizes[node.shape[0]], sizes[node.shape[1]]]
  return { rows, columns, data: new Float64Array(rows * columns) }
}

/** φ, φ′ and φ(at + change) − φ(at) without cancellation. */
const ACTIVATIONS: Readonly<
  Record<
    Activation,
    {
      readonly value: (x: number) => number
      readonly slope: (x: number) => number
      readonly change: (change: number, at: number) => number
    }
  >
> = {
  relu: {
    value: (x) => Math.max(0, x),
    slope: (x) => (x > 0 ? 1 : 0),
    change: (change, at) => {
      if (at > 0) return at + change > 0 ? change : -at
      return Math.max(0, at + change)
    },
  },
  tanh: {
    value: Math.tanh,
    slope: (x) => 1 - Math.tanh(x) ** 2,
    // tanh(p) − tanh(q) = tanh(p − q) (1 − tanh p tanh q)
    change: (change, at) => Math.tanh(change) * (1 - Math.tanh(at + change) * Math.tanh(at)),
  },
}

/** The entries of a node whose operation works entry by entry; `result` may be one of the operands' arrays. */
function entriesInto(
  result: Float64Array,
  { operation }: Node,
  read: readonly Matrix[],
  sizes: Sizes,
  t: number,
): void {
  const [x = result, y = result] = read.map(({ data }) => data)
  switch (operation.op) {
    case "leaf":
      throw new Error(`leaf ${operation.name} has no value`)
    case "zero":
      result.fill(0)
      return
    case "one":
      result[0] = 1
      return
    case "add":
      add(result, x, y)
      return
    case "multiply":
      multiply(result, x, y)
      return
    case "scale":
      scale(result, x, coefficientValue(operation.by, sizes.n, t))
      return
    case "sign":
      sign(result, x)
      return
    case "activate":
      mapped(result, x, ACTIVATIONS[operation.by].value)
      return
    case "slope": {
      const { slope } = ACTIVATIONS[operation.by]
      paired(result, x, y, (of, at) => of * slope(at))
      return
    }
    case "activationChange":
      paired(result, x, y, ACTIVATIONS[operation.by].change)
      return
    case "rootRatio": {
      const { constant, power } = operation.epsilon
      const epsilon = constant * (power === null ? 1 : sizes.n ** power.constant.valueOf())
      paired(result, x, y, (of, over) => of / (Math.sqrt(over) + epsilon))
      return
    }
    case "clip": {
      const bound = coefficientValue(operation.bound, sizes.n, t)
      const norm = y[0]!
      scale(result, x, norm > bound ? bound / norm : 1)
      return
    }
    default:
      throw new Error(`${operation.op} has no value entry by entry`)
  }
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

/** U Vᵀ of the singular value decomposition, singular values that are zero in floating point left at zero. */
function orthogonalised({ rows, columns, data }: Matrix): Matrix {
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
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    LinearAlgebra.from1DArray(least, least, gram),
    { assumeSymmetric: true },
  )
  const largest = Math.max(...realEigenvalues)
  const inverseRoot = realEigenvalues.map((value) => (value > 1e-12 * largest ? 1 / Math.sqrt(value) : 0))
  const root = eigenvectorMatrix.mmul(LinearAlgebra.diag(inverseRoot)).mmul(eigenvectorMatrix.transpose())
  const factor: Matrix = { rows: least, columns: least, data: Float64Array.from(root.to1DArray()) }
  const product = new Float64Array(data.length)
  const [matrix, small] = [{ rows, columns, data }, factor].map((of) => ({ matrix: of, transposed: false }))
  productInto(product, tall ? matrix! : small!, tall ? small! : matrix!, null)
  return { rows, columns, data: product }
}
