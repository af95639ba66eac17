import { Matrix, QrDecomposition } from "ml-matrix"
import { gaussians } from "./random.js"
import type { Factors, SyntheticConfig } from "./syntheticConfig.js"

/** Everything of the teacher-student experiment that training does not change; matrices are row-major. */
export interface SyntheticData {
  /** φ(W_in X), n×N. */
  readonly P: Float32Array
  /** W_h P, n×N. */
  readonly H: Float32Array
  readonly wOut: Float64Array
  readonly y: Float64Array
}

type DataConfig = Pick<SyntheticConfig, "width" | "samples" | "inputs" | "teacherWidth" | "readout" | "seed">

/**
 * The frozen activations, targets and readout of a configuration.
 *
 * Inputs N(0, 1); W_in entries N(0, 2/d); W_h entries N(0, 1/n); readout entries N(0, n^(−2o)). The teacher is a ReLU
 * network of fixed width on the same inputs, its outputs standardised to mean 0 and variance 1: inputs and targets do
 * not depend on the student's width.
 *
 * @param product how W_h P is drawn: "thin" (for n > N) exactly in distribution from P = QR as G R with n×N entries of G
 * N(0, 1/n), since W_h Q has such entries and Q orthonormal columns; "direct" forms W_h.
 */
export function syntheticData(
  config: DataConfig,
  product: "thin" | "direct" = config.width > config.samples ? "thin" : "direct",
): SyntheticData {
  const { width: n, samples: N, inputs: d, seed, readout } = config
  const X = gaussians(seed, "X", d * N)
  const at = (name: string, count: number, deviation: number) => gaussians(seed, `${name} n=${n}`, count, deviation)
  const P = relu(multiply(at("W_in", n * d, Math.sqrt(2 / d)), X, n, d, N))
  const H =
    product === "direct"
      ? multiply(at("W_h", n * n, n ** -0.5), P, n, n, N)
      : multiply(at("W_h Q", n * N, n ** -0.5), triangularFactor(P, n, N), n, N, N)
  const wOut = at("W_out", n, n ** -readout)
  return { P: Float32Array.from(P), H: Float32Array.from(H), wOut, y: targets(config, X) }
}

/** The adapter's factors at the start of a run. */
export function startOf({
  width: n,
  rank: r,
  seed,
  start,
}: Pick<SyntheticConfig, "width" | "rank" | "seed" | "start">): Factors {
  const draw = (name: string, deviation: number) =>
    deviation === 0 ? new Float64Array(n * r) : gaussians(seed, `${name} n=${n}`, n * r, deviation)
  return { A: draw("A", start.A), B: draw("B", start.B) }
}

function targets({ seed, inputs: d, samples: N, teacherWidth: m }: DataConfig, X: Float64Array): Float64Array {
  const hidden = relu(multiply(gaussians(seed, "teacher in", m * d, Math.sqrt(2 / d)), X, m, d, N))
  const second = relu(multiply(gaussians(seed, "teacher hidden", m * m, Math.sqrt(2 / m)), hidden, m, m, N))
  const raw = multiply(gaussians(seed, "teacher out", m), second, 1, m, N)
  const mean = raw.reduce((sum, v) => sum + v, 0) / N
  const deviation = Math.sqrt(raw.reduce((sum, v) => sum + (v - mean) ** 2, 0) / N)
  return raw.map((v) => (v - mean) / deviation)
}

/** R of the thin QR factorisation of the n×N matrix. */
function triangularFactor(P: Float64Array, n: number, N: number): Float64Array {
  const matrix = Matrix.zeros(n, N)
  for (let i = 0; i < n; i++) for (let q = 0; q < N; q++) matrix.set(i, q, P[i * N + q]!)
  return Float64Array.from(new QrDecomposition(matrix).upperTriangularMatrix.to1DArray())
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
