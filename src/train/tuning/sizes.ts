import type { Batch } from "./batch.js"
import { measuredTokens, type SiteSizes } from "./engine.js"

/** A module's factors, row by row. */
export interface SiteFactors {
  readonly A: Float32Array
  readonly B: Float32Array
}

/** A module as it was and is, and what it read. */
export interface MeasuredSite {
  readonly rank: number
  readonly scale: number
  readonly start: SiteFactors
  readonly before: SiteFactors
  readonly after: SiteFactors
  /** Z, input × tokens, column by column. */
  readonly input: Float32Array
}

/**
 * The columns of Z that are measured, of a module's whole input: sequences × entries × tokens, without padding; or
 * sequences × entries, of a layer that classifies.
 */
export function measuredColumns(data: Float32Array, rows: number, mask: Batch["mask"]): Float32Array {
  const tokens = data.length / rows / mask.length
  const isClassifier = tokens === 1
  const columns = mask.flatMap((own, s) =>
    isClassifier ? [s] : own.flatMap((seen, j) => (seen === 0 ? [] : [s * tokens + j])),
  )
  const places = measuredTokens(columns.length)
  const picked = new Float32Array(places.length * rows)
  places.forEach((place, c) => {
    const column = columns[place]!
    const first = Math.floor(column / tokens) * rows * tokens + (column % tokens)
    for (let i = 0; i < rows; i++) picked[c * rows + i] = data[first + i * tokens]!
  })
  return picked
}

/** The sizes at a module after a step. */
export function sizesAfter({ rank, scale, start, before, after, input }: MeasuredSite): SiteSizes["sizes"] {
  const [dA, dB] = [difference(after.A, before.A), difference(after.B, before.B)]
  const levels = sizesAt(after, rank, scale, input)
  const apply = (B: ArrayLike<number>, A: ArrayLike<number>) => product(B, product(A, input, rank), undefined, rank)
  const [delta1, delta2, delta3] = [apply(before.B, dA), apply(dB, before.A), apply(dB, dA)]
  const change = difference(apply(after.B, after.A), apply(start.B, start.A))
  return {
    ...levels,
    delta1: scale * size(delta1),
    delta2: scale * size(delta2),
    delta3: scale * size(delta3),
    deltaZB: scale * size(delta1.map((x, i) => x + delta2[i]! + delta3[i]!)),
    change: scale * size(change),
    movedA: size(difference(after.A, start.A)),
    movedB: size(difference(after.B, start.B)),
  }
}

/** The sizes at a module that do not speak of a step. */
export function sizesAt({ A, B }: SiteFactors, rank: number, scale: number, input: Float32Array): SiteSizes["sizes"] {
  const zA = product(A, input, rank)
  return { zA: size(zA), zB: scale * size(product(B, zA, undefined, rank)), a: size(A), b: size(B) }
}

/**
 * The product with columns that follow each other, again so.
 *
 * @param rows of the matrix, or @param columns: one says the other.
 */
function product(matrix: ArrayLike<number>, x: ArrayLike<number>, rows?: number, columns?: number): Float64Array {
  const height = rows ?? matrix.length / columns!
  const width = columns ?? matrix.length / height
  const result = new Float64Array((x.length / width) * height)
  for (let c = 0; c * width < x.length; c++)
    for (let i = 0; i < height; i++) {
      let sum = 0
      for (let k = 0; k < width; k++) sum += matrix[i * width + k]! * x[c * width + k]!
      result[c * height + i] = sum
    }
  return result
}

function difference(x: ArrayLike<number>, y: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: x.length }, (_, i) => x[i]! - y[i]!)
}

function size(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2
  return Math.sqrt(sum / values.length)
}
