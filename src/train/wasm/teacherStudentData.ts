import { pivotedCholesky } from "../pivotedCholesky.js"
import { gaussianStream, gaussians } from "../random.js"
import type { FactorArrays, TeacherStudentConfig, TeacherStudentData } from "../teacherStudentConfig.js"
import { Dense, denseBytes, ROWS_AT_ONCE } from "./dense.js"

type DataConfig = Pick<TeacherStudentConfig, "width" | "samples" | "inputs" | "teacherWidth" | "readout" | "seed">

/** Where rows of an activation go, from the given one on: whole rows of N numbers, never beyond the n-th. */
export type RowSink = (name: "P" | "H", first: number, rows: Float32Array) => void

/** How W_h P is drawn; see `drawActivations`. */
export type Product = "thin" | "direct"

/**
 * Draws the frozen activations P = φ(W_in X) and H = W_h P (n×N, float32) row by row; no n×n matrix is ever held.
 *
 * Inputs N(0, 1); W_in entries N(0, 2/d); W_h entries N(0, 1/n).
 *
 * @param product "thin": rows of H are independent N(0, PᵀP/n), so H = G S with entries of G N(0, 1/n) and any S with
 * SᵀS = PᵀP, which costs n N² and holds N². S comes from the Gram matrix in float64; where that is singular, H is off
 * by the root of its rounding, about 10⁻⁷ of an entry's size, as float32 itself is. "direct": W_h is drawn, n² N.
 */
export function drawActivations(config: DataConfig, product: Product, sink: RowSink): void {
  const { width: n, samples: N, inputs: d, seed } = config
  const stream = (name: string, deviation: number) => gaussianStream(seed, `${name} n=${n}`, deviation)
  const first = new Dense(d, N)
  setRows(first.right, first.stride, gaussians(seed, "X", d * N), N)
  const second = product === "thin" ? new Dense(N, N) : new Dense(n, N)
  inChunks(n, d, stream("W_in", Math.sqrt(2 / d)), first, (row, count) => {
    const rows = rounded(first, count, N, (x) => Math.max(0, x))
    sink("P", row, rows)
    if (product === "direct") setRows(second.right.subarray(row * second.stride), second.stride, rows, N)
    else {
      setRows(second.left.fill(0), second.stride, rows, N)
      second.addGram()
    }
  })
  if (product === "direct") {
    inChunks(n, n, stream("W_h", n ** -0.5), second, (row, count) => sink("H", row, rounded(second, count, N)))
    return
  }
  const { rows: rank, root } = pivotedCholesky(second.right, N, second.stride)
  const last = new Dense(rank, N)
  setRows(last.right, last.stride, root, N)
  inChunks(n, rank, stream("W_h Q", n ** -0.5), last, (row, count) => sink("H", row, rounded(last, count, N)))
}

/** The memory that `drawActivations` takes, in all and in its largest piece. */
export function drawingBytes(config: Pick<DataConfig, "width" | "samples" | "inputs">): {
  readonly all: number
  readonly largest: number
} {
  const { width: n, samples: N, inputs: d } = config
  const largest = denseBytes(productOf(config) === "thin" ? N : n, N)
  // In the thin case the Gram matrix, its root, and the root once more as a factor.
  const all = denseBytes(d, N) + (productOf(config) === "thin" ? 2 * largest + 8 * N * N : largest)
  return { all, largest }
}

/** Multiplies a drawn left factor of n×inner chunk by chunk. */
function inChunks(
  n: number,
  inner: number,
  fill: (target: Float64Array) => Float64Array,
  dense: Dense,
  done: (row: number, count: number) => void,
): void {
  for (let row = 0; row < n; row += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, n - row)
    fill(dense.left.subarray(0, count * inner))
    dense.multiply()
    done(row, count)
  }
}

function setRows(to: Float64Array, stride: number, rows: Float64Array | Float32Array, N: number): void {
  for (let from = 0, at = 0; from < rows.length; from += N, at += stride) to.set(rows.subarray(from, from + N), at)
}

/** The last product's rows as float32. */
function rounded({ product, stride }: Dense, count: number, N: number, f = (x: number) => x): Float32Array {
  const rows = new Float32Array(count * N)
  for (let row = 0; row < count; row++) for (let q = 0; q < N; q++) rows[row * N + q] = f(product[row * stride + q]!)
  return rows
}

/** The readout's entries N(0, n^(−2o)). */
export function readoutOf({ width: n, seed, readout }: DataConfig): Float64Array {
  return gaussians(seed, `W_out n=${n}`, n, n ** -readout)
}

/** The product that a configuration uses: "thin" where it is the cheaper one. */
export function productOf({ width, samples }: Pick<DataConfig, "width" | "samples">): Product {
  return width > samples ? "thin" : "direct"
}

/** Everything at once, as arrays. */
export function teacherStudentData(config: DataConfig, product = productOf(config)): TeacherStudentData {
  const { width: n, samples: N } = config
  const activations = { P: new Float32Array(n * N), H: new Float32Array(n * N) }
  drawActivations(config, product, (name, first, rows) => activations[name].set(rows, first * N))
  return { ...activations, wOut: readoutOf(config), y: targetsOf(config) }
}

/** The adapter's factors at the start of a run. */
export function startOf({
  width: n,
  rank: r,
  seed,
  start,
}: Pick<TeacherStudentConfig, "width" | "rank" | "seed" | "start">): FactorArrays {
  const draw = (name: string, deviation: number) =>
    deviation === 0 ? new Float64Array(n * r) : gaussians(seed, `${name} n=${n}`, n * r, deviation)
  return { A: draw("A", start.A), B: draw("B", start.B) }
}

/**
 * The targets: a ReLU network of fixed width on the same inputs, its outputs standardised to mean 0 and variance 1, so
 * that inputs and targets do not depend on the student's width.
 */
export function targetsOf({ seed, inputs: d, samples: N, teacherWidth: m }: DataConfig): Float64Array {
  const X = gaussians(seed, "X", d * N)
  const hidden = relu(multiply(gaussians(seed, "teacher in", m * d, Math.sqrt(2 / d)), X, m, d, N))
  const second = relu(multiply(gaussians(seed, "teacher hidden", m * m, Math.sqrt(2 / m)), hidden, m, m, N))
  const raw = multiply(gaussians(seed, "teacher out", m), second, 1, m, N)
  const mean = raw.reduce((sum, v) => sum + v, 0) / N
  const deviation = Math.sqrt(raw.reduce((sum, v) => sum + (v - mean) ** 2, 0) / N)
  return raw.map((v) => (v - mean) / deviation)
}

function relu(values: Float64Array): Float64Array {
  return values.map((v) => Math.max(0, v))
}

function multiply(
  left: Float64Array,
  right: Float64Array | Float32Array,
  rows: number,
  inner: number,
  columns: number,
): Float64Array {
  const result = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++) {
      const factor = left[i * inner + k]!
      for (let j = 0; j < columns; j++) result[i * columns + j]! += factor * right[k * columns + j]!
    }
  return result
}
