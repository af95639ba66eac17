import type { Matrix } from "./matrix.js"
import { gaussians } from "./random.js"

/**
 * A random matrix G of independent N(0, deviation²) entries that is never formed: its products with vectors are drawn
 * when they are asked for, exactly in distribution given all products asked before.
 *
 * A new argument is split into its part in the span of the earlier ones, whose images are known, and the rest; the
 * image of the rest is a fresh Gaussian vector, corrected in the directions in which Gᵀ was asked: for orthonormal u
 * with known Gᵀu, z ← z + u (⟨Gᵀu, q⟩ − ⟨u, z⟩). Costs O((rows + columns) · questions) memory and that times questions
 * time. What was asked is remembered, since a training step asks much of what the step before it asked.
 */
export class GaussianMatrix {
  readonly rows: number
  readonly columns: number
  private readonly right: Side
  private readonly left: Side

  /** @param stream the name that the numbers depend on, besides the seed. */
  constructor(rows: number, columns: number, seed: number, stream: string, deviation: number) {
    this.rows = rows
    this.columns = columns
    const side = (name: string, length: number): Side => ({
      arguments: [],
      images: [],
      answers: [],
      length,
      fresh: (k) => gaussians(seed, `${stream} ${name}${k}`, length, deviation),
    })
    this.right = side("image", rows)
    this.left = side("transposed", columns)
  }

  /** G X for a matrix X, column by column. */
  times(x: Matrix): Matrix {
    return columnwise(x, this.right, this.left)
  }

  /** Gᵀ X. */
  transposeTimes(x: Matrix): Matrix {
    return columnwise(x, this.left, this.right)
  }
}

/** What was asked on one side: orthonormal arguments and their images, which have a length. */
interface Side {
  readonly arguments: Float64Array[]
  readonly images: Float64Array[]
  /** The latest questions as they were asked, with their answers. */
  readonly answers: { readonly question: Float64Array; readonly answer: Float64Array }[]
  readonly length: number
  readonly fresh: (k: number) => Float64Array
}

function columnwise(x: Matrix, own: Side, other: Side): Matrix {
  const { rows, columns } = x
  const data = new Float64Array(own.length * columns)
  const [column, image] = [new Float64Array(rows), columns === 1 ? data : new Float64Array(own.length)]
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) column[i] = x.data[i * columns + j]!
    ask(column, image, own, other)
    if (columns > 1) for (let i = 0; i < image.length; i++) data[i * columns + j] = image[i]!
  }
  return { rows: own.length, columns, data }
}

/** A rest below this part of the argument is rounding. */
const NEGLIGIBLE = 1e-10

/** How many answers are remembered, and up to which length: beyond it memory matters more than time. */
const [MOST_ANSWERS, LONGEST] = [32, 2 ** 16]

/** Writes the image of x into `result`. */
function ask(x: Float64Array, result: Float64Array, own: Side, other: Side): void {
  if (x.length > LONGEST) {
    answer(x, result, own, other)
    return
  }
  const { answers } = own
  const at = answers.findIndex(({ question }) => isEqual(question, x))
  const [found] = at < 0 ? [] : answers.splice(at, 1)
  if (found === undefined) answer(x, result, own, other)
  else result.set(found.answer)
  answers.push(found ?? { question: x.slice(), answer: result.slice() })
  if (answers.length > MOST_ANSWERS) answers.shift()
}

function isEqual(x: Float64Array, y: Float64Array): boolean {
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false
  return true
}

/** As `ask`, of what is not remembered. */
function answer(x: Float64Array, result: Float64Array, own: Side, other: Side): void {
  const rest = x.slice()
  result.fill(0)
  // Twice, because one pass of Gram–Schmidt leaves rounding errors of the size of the argument.
  for (let pass = 0; pass < 2; pass++) {
    const shares = project(rest, own.arguments, (_, along) => -along)
    for (const [i, image] of own.images.entries()) addTo(result, image, -shares[i]!)
  }
  const [size, whole] = [Math.sqrt(dot(rest, rest)), Math.sqrt(dot(x, x))]
  if (size <= NEGLIGIBLE * whole) return
  const q = rest
  for (let i = 0; i < q.length; i++) q[i]! /= size
  const image = own.fresh(own.arguments.length)
  const known = dots(other.images, q)
  project(image, other.arguments, (i, along) => known[i]! - along)
  own.arguments.push(q)
  own.images.push(image)
  addTo(result, image, size)
}

/**
 * Adds a multiple of each direction to x in turn: by as much as `share` says, given the product of that direction and x
 * as it is then. Gives the multiples.
 *
 * The product with the next direction is summed while x changes: a sum waits for its last addition longer than for all
 * else.
 */
function project(
  x: Float64Array,
  directions: readonly Float64Array[],
  share: (i: number, along: number) => number,
): number[] {
  if (directions.length === 0) return []
  let along = dot(directions[0]!, x)
  return directions.map((u, i) => {
    const [factor, next] = [share(i, along), directions[i + 1]]
    if (next === undefined) addTo(x, u, factor)
    else along = addAndDot(x, u, factor, next)
    return factor
  })
}

/** As `addTo`; gives the product of the changed x and another vector. */
function addAndDot(x: Float64Array, y: Float64Array, factor: number, other: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) {
    const value = x[i]! + factor * y[i]!
    x[i] = value
    sum += other[i]! * value
  }
  return sum
}

/** The product of each vector with x, four of them at a time. */
function dots(vectors: readonly Float64Array[], x: Float64Array): number[] {
  const result: number[] = []
  let k = 0
  for (; k + 4 <= vectors.length; k += 4) {
    const [p, q, r, s] = [vectors[k]!, vectors[k + 1]!, vectors[k + 2]!, vectors[k + 3]!]
    let [a, b, c, d] = [0, 0, 0, 0]
    for (let i = 0; i < x.length; i++) {
      const value = x[i]!
      a += p[i]! * value
      b += q[i]! * value
      c += r[i]! * value
      d += s[i]! * value
    }
    result.push(a, b, c, d)
  }
  for (; k < vectors.length; k++) result.push(dot(vectors[k]!, x))
  return result
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
  return sum
}

function addTo(x: Float64Array, y: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i]! += factor * y[i]!
}
