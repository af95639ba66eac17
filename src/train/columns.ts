/** Operations on the columns of a matrix in float64: a column is a token. */
import type { Matrix } from "./matrix.js"
import type { Spare } from "./spare.js"

/** Of each column the sum of f over its rows, a row. */
function sums({ rows, columns }: Matrix, spare: Spare, f: (place: number) => number): Matrix {
  const data = spare.take(columns)
  for (let j = 0; j < columns; j++) {
    let sum = 0
    for (let i = 0; i < rows; i++) sum += f(i * columns + j)
    data[j] = sum
  }
  return { rows: 1, columns, data }
}

/** A matrix of the same shape by its entries: f of an entry's place, its row and its column. */
function entries(
  { rows, columns }: Pick<Matrix, "rows" | "columns">,
  spare: Spare,
  f: (place: number, row: number, column: number) => number,
): Matrix {
  const data = spare.take(rows * columns)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[i * columns + j] = f(i * columns + j, i, j)
  return { rows, columns, data }
}

/** Σᵢ xᵢⱼ yᵢⱼ. */
export function dots(x: Matrix, y: Matrix, spare: Spare): Matrix {
  return sums(x, spare, (k) => x.data[k]! * y.data[k]!)
}

/** xᵢⱼ sⱼ. */
export function scaled(x: Matrix, row: Matrix, spare: Spare): Matrix {
  return entries(x, spare, (k, _, j) => x.data[k]! * row.data[j]!)
}

/** Every column less its mean. */
export function centred(x: Matrix, spare: Spare): Matrix {
  const total = sums(x, spare, (k) => x.data[k]!)
  return entries(x, spare, (k, _, j) => x.data[k]! - total.data[j]! / x.rows)
}

/** Where a softmax looks: everywhere, or in column j at the rows up to j. */
const isSeen = (causal: boolean, row: number, column: number) => !causal || row <= column

/** eˣ over its sum in each column, the largest entry taken away first. */
export function softmax(x: Matrix, causal: boolean, spare: Spare): Matrix {
  const { columns } = x
  const most = largest(x, causal)
  const weights = entries(x, spare, (k, i, j) => (isSeen(causal, i, j) ? Math.exp(x.data[k]! - most[j]!) : 0))
  const total = sums(weights, spare, (k) => weights.data[k]!)
  for (let k = 0; k < weights.data.length; k++) weights.data[k]! /= total.data[k % columns]!
  return weights
}

/** p ∘ (x − Σ p x), p the softmax of at. */
export function softmaxSlope(x: Matrix, at: Matrix, causal: boolean, spare: Spare): Matrix {
  const p = softmax(at, causal, spare)
  // Where p is nearly 1, 1 − p is not: the differences to the other entries are summed instead.
  return entries(x, spare, (k, i, j) => {
    if (p.data[k] === 0) return 0
    let sum = 0
    for (let other = 0; other < x.rows; other++) {
      const place = other * x.columns + j
      if (other !== i) sum += p.data[place]! * (x.data[k]! - x.data[place]!)
    }
    return p.data[k]! * sum
  })
}

/** The largest entry of each column, of those that a softmax sees. */
function largest({ rows, columns, data }: Matrix, causal: boolean): Float64Array {
  const most = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) if (isSeen(causal, i, j)) most[j] = Math.max(most[j]!, data[i * columns + j]!)
  return most
}

/**
 * softmax(at + x) − softmax(at) in each column: p_k Σ_l p_l (w_k − w_l) / Σ_l p_l w_l, for p the softmax of at, w = e^(x −
 * m) and m the largest entry of x. The differences are w_l (e^(x_k − x_l) − 1), so that none is of two nearly equal numbers,
 * also where all weights that count are far below the largest. Where the sum is lost, since all weight moves to where p is
 * nothing, the difference itself: nothing cancels in it.
 */
export function softmaxChange(x: Matrix, at: Matrix, causal: boolean, spare: Spare): Matrix {
  const { columns } = x
  const p = softmax(at, causal, spare)
  const most = largest(x, causal)
  const w = x.data.map((value, k) => (p.data[k] === 0 ? 0 : Math.exp(value - most[k % columns]!)))
  const total = sums(x, spare, (k) => p.data[k]! * w[k]!)
  const isLost = (j: number) => total.data[j]! < LEAST_SUM
  const after = total.data.some((_, j) => isLost(j))
    ? softmax({ ...x, data: x.data.map((value, k) => value + at.data[k]!) }, causal, spare)
    : p
  const gap = (k: number, other: number) => {
    const difference = x.data[k]! - x.data[other]!
    return difference < 0 ? w[other]! * Math.expm1(difference) : -w[k]! * Math.expm1(-difference)
  }
  return entries(x, spare, (k, _, j) => {
    if (isLost(j)) return after.data[k]! - p.data[k]!
    if (p.data[k] === 0) return 0
    let sum = 0
    for (let place = j; place < w.length; place += columns) sum += p.data[place]! * gap(k, place)
    return (p.data[k]! * sum) / total.data[j]!
  })
}

/** Below this a sum of weights is made of numbers near the least that there are. */
const LEAST_SUM = 1e-280

/** ln Σ eˣ of each column, the largest entry taken away first. */
export function logSumExp(x: Matrix, spare: Spare): Matrix {
  const most = largest(x, false)
  const total = sums(x, spare, (k) => Math.exp(x.data[k]! - most[k % x.columns]!))
  return entries(total, spare, (j) => most[j]! + Math.log(total.data[j]!))
}

/** ln Σ p eˣ of each column, p the softmax of at: by ln(1 + Σ p (eˣ − 1)) where x is small. */
export function logSumExpChange(x: Matrix, at: Matrix, spare: Spare): Matrix {
  const p = softmax(at, false, spare)
  const most = largest(x, false)
  const small = sums(x, spare, (k) => p.data[k]! * Math.expm1(x.data[k]!))
  const large = sums(x, spare, (k) => p.data[k]! * Math.exp(x.data[k]! - most[k % x.columns]!))
  return entries(small, spare, (j) =>
    Math.abs(small.data[j]!) < 0.5 ? Math.log1p(small.data[j]!) : most[j]! + Math.log(large.data[j]!),
  )
}

/** One of equal parts of the rows. */
export function part({ rows, columns, data }: Matrix, index: number, of: number, spare: Spare): Matrix {
  const own = Math.floor(rows / of)
  const result = spare.take(own * columns)
  result.set(data.subarray(index * own * columns, (index + 1) * own * columns))
  return { rows: own, columns, data: result }
}

/** A matrix as one of the equal parts of the rows of a longer one. */
export function placed({ rows, columns, data }: Matrix, index: number, whole: number, spare: Spare): Matrix {
  const result = spare.take(whole * columns)
  result.fill(0)
  result.set(data, index * rows * columns)
  return { rows: whole, columns, data: result }
}

/** Rotary positions as Llama has them: rows i and i + d/2 of column j are turned by the angle ± j · base^(−2i/d). */
export function rotated(x: Matrix, base: number, sign: 1 | -1, spare: Spare): Matrix {
  const half = Math.floor(x.rows / 2)
  const { cosines, sines } = angles(half, x.columns, base)
  return entries(x, spare, (k, i) => {
    if (i >= 2 * half) return x.data[k]!
    const isUpper = i < half
    const at = isUpper ? k : k - half * x.columns
    const other = x.data[isUpper ? k + half * x.columns : at]!
    return x.data[k]! * cosines[at]! + (isUpper ? -sign : sign) * other * sines[at]!
  })
}

interface Angles {
  readonly key: string
  readonly cosines: Float64Array
  readonly sines: Float64Array
}

let known: Angles | null = null

/** Cosines and sines of j · base^(−i/half), row by row; the last ones are kept, since a model turns by the same again. */
function angles(half: number, columns: number, base: number): Angles {
  const key = `${half} ${columns} ${base}`
  if (known?.key === key) return known
  const all = Float64Array.from({ length: half * columns }, (_, k) => {
    const row = Math.floor(k / columns)
    return (k % columns) * base ** (-row / half)
  })
  known = { key, cosines: all.map(Math.cos), sines: all.map(Math.sin) }
  return known
}
