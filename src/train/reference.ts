/** The reference interpreter: any program in float64, plainly. Kernels are measured against it. */
import { EigenvalueDecomposition, Matrix as LinearAlgebra } from "ml-matrix"
import { type Activation, type Coefficient, type Dimension, inOrder, type Node } from "../program/node.js"
import { GaussianMatrix } from "./gaussianMatrix.js"
import type { Matrix } from "./matrix.js"

/** The value of a leaf: a matrix, or a random one that is never formed and may only be multiplied. */
export type LeafValue = Matrix | GaussianMatrix

/** The sizes of the index spaces of a run. */
export type Sizes = Readonly<Record<Dimension, number>>

/** The number of a coefficient at width n and step t; its power must be a constant. */
export function coefficientValue({ constant, power, biasCorrection }: Coefficient, n: number, t: number): number {
  const correction = biasCorrection === undefined ? 1 : 1 / (1 - biasCorrection ** t)
  return constant * n ** power.constant.valueOf() * correction
}

/**
 * The values of the given nodes at step t.
 *
 * @param leaves the value of every leaf that the nodes depend on.
 */
export function evaluate(
  nodes: readonly Node[],
  leaves: ReadonlyMap<Node, LeafValue>,
  sizes: Sizes,
  t: number,
): Map<Node, Matrix> {
  const values = new Map<Node, Matrix>()
  const implicit = new Map<Node, GaussianMatrix>()
  for (const [node, value] of leaves)
    if (value instanceof GaussianMatrix) implicit.set(node, value)
    else values.set(node, value)
  for (const node of inOrder(nodes)) {
    const { operation } = node
    if (operation.op === "matmul") {
      const image = implicitProduct(operation.left, values.get(operation.right), implicit)
      if (image !== null) values.set(node, image)
    }
    const isImplicit = implicit.has(node) || (operation.op === "transpose" && implicit.has(operation.of))
    if (!values.has(node) && !isImplicit)
      values.set(
        node,
        evaluateNode(node, (x) => values.get(x)!, sizes, t),
      )
  }
  return values
}

/** G X or Gᵀ X for a G that is never formed; null if the left factor is not such a matrix. */
function implicitProduct(
  left: Node,
  right: Matrix | undefined,
  implicit: ReadonlyMap<Node, GaussianMatrix>,
): Matrix | null {
  if (right === undefined) return null
  const matrix = implicit.get(left)
  if (matrix !== undefined) return matrix.times(right)
  const transposed = left.operation.op === "transpose" ? implicit.get(left.operation.of) : undefined
  return transposed === undefined ? null : transposed.transposeTimes(right)
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

function evaluateNode(node: Node, value: (node: Node) => Matrix, sizes: Sizes, t: number): Matrix {
  const { operation } = node
  switch (operation.op) {
    case "leaf":
      throw new Error(`leaf ${operation.name} has no value`)
    case "zero":
      return zeros(node, sizes)
    case "one":
      return { rows: 1, columns: 1, data: Float64Array.of(1) }
    case "matmul":
      return product(value(operation.left), value(operation.right))
    case "transpose":
      return transposed(value(operation.of))
    case "add":
      return entrywise(value(operation.left), value(operation.right), (x, y) => x + y)
    case "multiply":
      return entrywise(value(operation.left), value(operation.right), (x, y) => x * y)
    case "scale": {
      const factor = coefficientValue(operation.by, sizes.n, t)
      return mapped(value(operation.of), (x) => factor * x)
    }
    case "sign":
      return mapped(value(operation.of), Math.sign)
    case "activate":
      return mapped(value(operation.of), ACTIVATIONS[operation.by].value)
    case "slope": {
      const { slope } = ACTIVATIONS[operation.by]
      return entrywise(value(operation.of), value(operation.at), (x, at) => x * slope(at))
    }
    case "activationChange":
      return entrywise(value(operation.of), value(operation.at), ACTIVATIONS[operation.by].change)
    case "orthogonalise":
      return orthogonalised(value(operation.of))
    case "rootRatio": {
      const { constant, power } = operation.epsilon
      const epsilon = constant * (power === null ? 1 : sizes.n ** power.constant.valueOf())
      return entrywise(value(operation.of), value(operation.over), (x, y) => x / (Math.sqrt(y) + epsilon))
    }
  }
}

function mapped({ rows, columns, data }: Matrix, f: (x: number) => number): Matrix {
  const result = new Float64Array(data.length)
  for (let i = 0; i < data.length; i++) result[i] = f(data[i]!)
  return { rows, columns, data: result }
}

function entrywise(left: Matrix, right: Matrix, f: (x: number, y: number) => number): Matrix {
  const result = new Float64Array(left.data.length)
  for (let i = 0; i < result.length; i++) result[i] = f(left.data[i]!, right.data[i]!)
  return { rows: left.rows, columns: left.columns, data: result }
}

function transposed({ rows, columns, data }: Matrix): Matrix {
  if (rows === 1 || columns === 1) return { rows: columns, columns: rows, data }
  const result = new Float64Array(data.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j]!
  return { rows: columns, columns: rows, data: result }
}

function product(left: Matrix, right: Matrix): Matrix {
  const { rows, columns: inner } = left
  const { columns } = right
  const [x, y, result] = [left.data, right.data, new Float64Array(rows * columns)]
  for (let i = 0; i < rows; i++) {
    if (columns === 1) {
      let sum = 0
      for (let k = 0; k < inner; k++) sum += x[i * inner + k]! * y[k]!
      result[i] = sum
      continue
    }
    for (let k = 0; k < inner; k++) {
      const factor = x[i * inner + k]!
      for (let j = 0; j < columns; j++) result[i * columns + j]! += factor * y[k * columns + j]!
    }
  }
  return { rows, columns, data: result }
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
  const matrix: Matrix = { rows, columns, data }
  return tall ? product(matrix, factor) : product(factor, matrix)
}
