/** Inner products of the rows of tall factors: all that is needed of a product BA is in r × r matrices. */

/** Columns done at once, so that a block of all rows stays in the processor's cache. */
const BLOCK = 512

/**
 * X Yᵀ of two matrices r × n in float64.
 *
 * @param x r × n, row-major.
 * @param y r × n, row-major; the same array for a Gram matrix, of which half is then computed.
 * @returns r × r, row-major.
 */
export function rowProducts(x: Float32Array, y: Float32Array, r: number, n: number): Float64Array {
  const sums = new Float64Array(r * r)
  const isGram = x === y
  for (let from = 0; from < n; from += BLOCK) {
    const to = Math.min(n, from + BLOCK)
    for (let i = 0; i < r; i += 4)
      for (let j = isGram ? i : 0; j < r; j += 4)
        if (i + 4 <= r && j + 4 <= r) tile(x, y, r, n, i, j, from, to, sums)
        else edge(x, y, r, n, i, j, from, to, sums)
  }
  if (isGram) for (let i = 0; i < r; i++) for (let j = 0; j < i; j++) sums[i * r + j] = sums[j * r + i]!
  return sums
}

/** Sixteen products at once: each number read serves four of them. */
function tile(
  x: Float32Array,
  y: Float32Array,
  r: number,
  n: number,
  i: number,
  j: number,
  from: number,
  to: number,
  sums: Float64Array,
): void {
  let [s00, s01, s02, s03] = [0, 0, 0, 0]
  let [s10, s11, s12, s13] = [0, 0, 0, 0]
  let [s20, s21, s22, s23] = [0, 0, 0, 0]
  let [s30, s31, s32, s33] = [0, 0, 0, 0]
  const [x0, y0] = [i * n, j * n]
  for (let k = from; k < to; k++) {
    const a = x[x0 + k]!
    const b = x[x0 + n + k]!
    const c = x[x0 + 2 * n + k]!
    const d = x[x0 + 3 * n + k]!
    const e = y[y0 + k]!
    const f = y[y0 + n + k]!
    const g = y[y0 + 2 * n + k]!
    const h = y[y0 + 3 * n + k]!
    s00 += a * e
    s01 += a * f
    s02 += a * g
    s03 += a * h
    s10 += b * e
    s11 += b * f
    s12 += b * g
    s13 += b * h
    s20 += c * e
    s21 += c * f
    s22 += c * g
    s23 += c * h
    s30 += d * e
    s31 += d * f
    s32 += d * g
    s33 += d * h
  }
  const add = (at: number, p: number, q: number, s: number, t: number) => {
    sums[at] = sums[at]! + p
    sums[at + 1] = sums[at + 1]! + q
    sums[at + 2] = sums[at + 2]! + s
    sums[at + 3] = sums[at + 3]! + t
  }
  add(i * r + j, s00, s01, s02, s03)
  add((i + 1) * r + j, s10, s11, s12, s13)
  add((i + 2) * r + j, s20, s21, s22, s23)
  add((i + 3) * r + j, s30, s31, s32, s33)
}

/** The products that a tile of four does not fit. */
function edge(
  x: Float32Array,
  y: Float32Array,
  r: number,
  n: number,
  i0: number,
  j0: number,
  from: number,
  to: number,
  sums: Float64Array,
): void {
  for (let i = i0; i < Math.min(r, i0 + 4); i++)
    for (let j = j0; j < Math.min(r, j0 + 4); j++) {
      let sum = 0
      for (let k = from; k < to; k++) sum += x[i * n + k]! * y[j * n + k]!
      sums[i * r + j] = sums[i * r + j]! + sum
    }
}

/** The transpose of a matrix rows × columns, row-major. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length)
  const side = 64
  for (let i0 = 0; i0 < rows; i0 += side)
    for (let j0 = 0; j0 < columns; j0 += side)
      for (let i = i0; i < Math.min(rows, i0 + side); i++)
        for (let j = j0; j < Math.min(columns, j0 + side); j++) result[j * rows + i] = values[i * columns + j]!
  return result
}
