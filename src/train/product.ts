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
  const [rows, inner, xRow, xInner] = strides(left)
  const [, columns, yInner, yColumn] = strides(right)
  const [x, y] = [left.matrix.data, right.matrix.data]
  if (accumulate !== null) {
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0
        for (let k = 0; k < inner; k++) sum = accumulate(sum + x[i * xRow + k * xInner]! * y[k * yInner + j * yColumn]!)
        result[i * columns + j] = sum
      }
    return
  }
  if (columns === 1 && !left.transposed) {
    for (let i = 0; i < rows; i++) {
      let sum = 0
      for (let k = 0; k < inner; k++) sum += x[i * inner + k]! * y[k]!
      result[i] = sum
    }
    return
  }
  result.fill(0)
  if (left.transposed) {
    // The long index outside: both factors are read once, in their order.
    for (let k = 0; k < inner; k++)
      for (let i = 0; i < rows; i++) {
        const factor = x[k * rows + i]!
        for (let j = 0; j < columns; j++) result[i * columns + j]! += factor * y[k * yInner + j * yColumn]!
      }
    return
  }
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++) {
      const factor = x[i * inner + k]!
      for (let j = 0; j < columns; j++) result[i * columns + j]! += factor * y[k * yInner + j * yColumn]!
    }
}

/** Rows and columns of a factor, and how far apart the entries of a column and of a row lie. */
function strides({ matrix, transposed }: Factor): [number, number, number, number] {
  const { rows, columns } = matrix
  return transposed ? [columns, rows, 1, columns] : [rows, columns, columns, 1]
}
