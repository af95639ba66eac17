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
      fresh: (k) => gaussians(seed, `${stream} ${name}${k}`, length, deviation),
    })
    this.right = side("image", rows)
    this.left = side("transposed", columns)
  }

  /** G X for a matrix X, column by column. */
  times(x: Matrix): Matrix {
    return columnwise(x, this.rows, (column) => ask(column, this.right, this.left))
  }

  /** Gᵀ X. */
  transposeTimes(x: Matrix): Matrix {
    return columnwise(x, this.columns, (column) => ask(column, this.left, this.right))
  }
}

/** What was asked on one side: orthonormal arguments and their images. */
interface Side {
  readonly arguments: Float64Array[]
  readonly images: Float64Array[]
  /** The latest questions as they were asked, with their answers. */
  readonly answers: { readonly question: Float64Array; readonly answer: Float64Array }[]
  readonly fresh: (k: number) => Float64Array
}

/** A rest below this part of the argument is rounding. */
const NEGLIGIBLE = 1e-10

/** How many answers are remembered, and up to which length: beyond it memory matters more than time. */
const [MOST_ANSWERS, LONGEST] = [32, 2 ** 16]

function ask(x: Float64Array, own: Side, other: Side): Float64Array {
  if (x.length > LONGEST) return answered(x, own, other)
  const { answers } = own
  const at = answers.findIndex(({ question }) => isEqual(question, x))
  const found = at < 0 ? { question: x.slice(), answer: answered(x, own, other) } : answers.splice(at, 1)[0]!
  answers.push(found)
  if (answers.length > MOST_ANSWERS) answers.shift()
  return found.answer.slice()
}

function isEqual(x: Float64Array, y: Float64Array): boolean {
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false
  return true
}

function answered(x: Float64Array, own: Side, other: Side): Float64Array {
  const rest = x.slice()
  const result = new Float64Array(own.images[0]?.length ?? own.fresh(0).length)
  // Twice, because one pass of Gram–Schmidt leaves rounding errors of the size of the argument.
  for (let pass = 0; pass < 2; pass++)
    own.arguments.forEach((q, i) => {
      const share = dot(q, rest)
      addTo(rest, q, -share)
      addTo(result, own.images[i]!, share)
    })
  const [size, whole] = [Math.sqrt(dot(rest, rest)), Math.sqrt(dot(x, x))]
  if (size <= NEGLIGIBLE * whole) return result
  const q = rest.map((value) => value / size)
  const image = own.fresh(own.arguments.length)
  other.arguments.forEach((u, i) => {
    addTo(image, u, dot(other.images[i]!, q) - dot(u, image))
  })
  own.arguments.push(q)
  own.images.push(image)
  addTo(result, image, size)
  return result
}

function columnwise(x: Matrix, rows: number, image: (column: Float64Array) => Float64Array): Matrix {
  if (x.columns === 1) return { rows, columns: 1, data: image(x.data) }
  const data = new Float64Array(rows * x.columns)
  for (let j = 0; j < x.columns; j++) {
    const column = Float64Array.from({ length: x.rows }, (_, i) => x.data[i * x.columns + j]!)
    image(column).forEach((value, i) => {
      data[i * x.columns + j] = value
    })
  }
  return { rows, columns: x.columns, data }
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
  return sum
}

function addTo(x: Float64Array, y: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i]! += factor * y[i]!
}
