import type { Matrix } from "./matrix.js"
import type { Rounding } from "./precision.js"

/** A factor of a product, read as it is or transposed. */
export interface Factor {
  readonly matrix: Matrix
  readonly transposed: boolean
}

/**
 * The product of two matrices into `result`; every entry is summed from zero in the order of the inner index, so that
 * transposing a factor changes no bit.
 *
 * @param accumulate rounds each partial sum; null leaves them in float64.
 */
export function productInto(result: Float64Array, left: Factor, right: Factor, accumulate: Rounding | null): void {
  const [x, y] = [left.matrix.data, right.matrix.data]
  const [rows, inner] = shapeOf(left)
  const [, columns] = shapeOf(right)
  if (accumulate !== null) rounded(result, left, right, accumulate)
  else if (inner === 1) outer(result, x, y)
  else if (columns === 1 && left.transposed) transposedTimesVector(result, x, y, rows)
  else if (columns === 1) timesVector(result, x, y, inner)
  else general(result, left, right)
}

function shapeOf({ matrix: { rows, columns }, transposed }: Factor): [number, number] {
  return transposed ? [columns, rows] : [rows, columns]
}

function outer(result: Float64Array, x: Float64Array, y: Float64Array): void {
  const columns = y.length
  for (let i = 0, at = 0; i < x.length; i++) {
    const factor = x[i]!
    // 0 + …, because a sum that starts at zero has no −0.
    for (let j = 0; j < columns; j++, at++) result[at] = 0 + factor * y[j]!
  }
}

/** Four rows at a time, so that four sums run side by side. */
function timesVector(result: Float64Array, x: Float64Array, y: Float64Array, inner: number): void {
  const rows = result.length
  let i = 0
  for (; i + 4 <= rows; i += 4) {
    let [a, b, c, d] = [0, 0, 0, 0]
    const at = i * inner
    for (let k = 0; k < inner; k++) {
      const factor = y[k]!
      a += x[at + k]! * factor
      b += x[at + inner + k]! * factor
      c += x[at + 2 * inner + k]! * factor
      d += x[at + 3 * inner + k]! * factor
    }
    result[i] = a
    result[i + 1] = b
    result[i + 2] = c
    result[i + 3] = d
  }
  for (; i < rows; i++) {
    let sum = 0
    for (let k = 0; k < inner; k++) sum += x[i * inner + k]! * y[k]!
    result[i] = sum
  }
}

/** The long index outside: both factors are read once, in their order. */
function transposedTimesVector(result: Float64Array, x: Float64Array, y: Float64Array, rows: number): void {
  const sums = result.fill(0)
  for (let k = 0, at = 0; k < y.length; k++) {
    const factor = y[k]!
    for (let i = 0; i < rows; i++, at++) sums[i]! += x[at]! * factor
  }
}

/** Four columns at a time, so that their sums stay in registers. */
function general(result: Float64Array, left: Factor, right: Factor): void {
  const [rows, inner, xRow, xInner] = strides(left)
  const [, columns, yInner, yColumn] = strides(right)
  const [x, y] = [left.matrix.data, right.matrix.data]
  let j = 0
  for (; j + 4 <= columns; j += 4)
    for (let i = 0; i < rows; i++) {
      let [a, b, c, d] = [0, 0, 0, 0]
      for (let k = 0, atX = i * xRow, atY = j * yColumn; k < inner; k++, atX += xInner, atY += yInner) {
        const factor = x[atX]!
        a += factor * y[atY]!
        b += factor * y[atY + yColumn]!
        c += factor * y[atY + 2 * yColumn]!
        d += factor * y[atY + 3 * yColumn]!
      }
      const at = i * columns + j
      result[at] = a
      result[at + 1] = b
      result[at + 2] = c
      result[at + 3] = d
    }
  for (; j < columns; j++)
    for (let i = 0; i < rows; i++) {
      let sum = 0
      for (let k = 0, atX = i * xRow, atY = j * yColumn; k < inner; k++, atX += xInner, atY += yInner)
        sum += x[atX]! * y[atY]!
      result[i * columns + j] = sum
    }
}

function rounded(result: Float64Array, left: Factor, right: Factor, accumulate: Rounding): void {
  const [rows, inner, xRow, xInner] = strides(left)
  const [, columns, yInner, yColumn] = strides(right)
  const [x, y] = [left.matrix.data, right.matrix.data]
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let sum = 0
      for (let k = 0; k < inner; k++) sum = accumulate(sum + x[i * xRow + k * xInner]! * y[k * yInner + j * yColumn]!)
      result[i * columns + j] = sum
    }
}

/** Rows and columns of a factor, and how far apart the entries of a column and of a row lie. */
function strides(factor: Factor): [number, number, number, number] {
  const [rows, columns] = shapeOf(factor)
  return factor.transposed ? [rows, columns, 1, rows] : [rows, columns, columns, 1]
}
