/**
 * The paper's teacher-student experiment: f(x) = W_out φ((W_h + B A) φ(W_in x)), φ = ReLU, one adapter on the frozen W_h,
 * full batch, Adam with a rate per factor, loss (1/2N) Σ (f − y)².
 *
 * The frozen activations P = φ(W_in X) and H = W_h P are computed once. A step reads H once forward and once backward
 * and P once, O(n N r) flops each: this is the fast path for the program that the reference interpreter also runs.
 */
import type { Outcome } from "./run.js"
import type { SyntheticConfig, SyntheticState } from "./syntheticConfig.js"
import type { SyntheticData } from "./syntheticData.js"

/** Root mean squares over entries and samples after a step, and the loss before it. */
export interface SyntheticRecord {
  readonly step: number
  readonly loss: number
  readonly zA: number
  readonly zB: number
  /** f − f₀: the adapter's change of the output. */
  readonly outputChange: number
}

/** A run's outcome, its largest sizes over all steps, and the kept records. */
export interface SyntheticResult {
  readonly outcome: Outcome
  /** The loss after the last step; NaN or Infinity for a diverged run. */
  readonly finalLoss: number
  readonly largest: { readonly zA: number; readonly zB: number; readonly outputChange: number }
  readonly history: readonly SyntheticRecord[]
}

/** A loss beyond this multiple of the start's counts as divergence. */
const DIVERGED = 1e6

/** Trains one adapter on the given data; a run that diverges stops there and is recorded so. */
export function trainSynthetic(config: SyntheticConfig, data: SyntheticData, start: SyntheticState): SyntheticResult {
  const { steps, rates, recordEvery } = config
  const pass = forwardBackward(config, data)
  const [stepA, stepB] = [adamStep(start.A, start.gradA, rates.A), adamStep(start.B, start.gradB, rates.B)]
  const history: SyntheticRecord[] = []
  const largest = { zA: 0, zB: 0, outputChange: 0 }
  let first = Number.NaN
  for (let step = 0; step <= steps; step++) {
    const sizes = pass(start)
    if (step === 0) first = sizes.loss
    for (const name of ["zA", "zB", "outputChange"] as const) largest[name] = Math.max(largest[name], sizes[name])
    if (step % recordEvery === 0 || step === steps) history.push({ step, ...sizes })
    if (!(sizes.loss <= DIVERGED * Math.max(1, first)))
      return { outcome: { kind: "diverged", step }, finalLoss: sizes.loss, largest, history }
    if (step === steps) return { outcome: { kind: "finished" }, finalLoss: sizes.loss, largest, history }
    stepA(step + 1)
    stepB(step + 1)
  }
  throw new Error("steps must not be negative")
}

/** Rank indices are worked on in blocks of this many; a rank that is no multiple is padded with zeros. */
const LANES = 4

/** One pass over the frozen activations: the loss and sizes at (A, B); gradients are left in the state. */
function forwardBackward(
  { width: n, rank: r, samples: N }: Pick<SyntheticConfig, "width" | "rank" | "samples">,
  { P, H, wOut, y, f0 }: SyntheticData,
): (state: SyntheticState) => Omit<SyntheticRecord, "step"> {
  const blocks = Math.ceil(r / LANES)
  // Z_A and its gradient are interleaved [block][sample][lane], so that a block's lanes lie side by side.
  const zA = new Float64Array(blocks * N * LANES)
  const gradZ = new Float64Array(blocks * N * LANES)
  const f = new Float64Array(N)
  const row = new Float64Array(N)
  const active = new Uint8Array(n * N)
  const lane = (factor: Float64Array, k: number, offset: number) => (k < r ? factor[offset]! : 0)

  const computeZ = (A: Float64Array) => {
    zA.fill(0)
    for (let block = 0; block < blocks; block++)
      for (let i = 0; i < n; i++) {
        const k = block * LANES
        const [a0, a1] = [lane(A, k, k * n + i), lane(A, k + 1, (k + 1) * n + i)]
        const [a2, a3] = [lane(A, k + 2, (k + 2) * n + i), lane(A, k + 3, (k + 3) * n + i)]
        for (let q = 0, z = block * N * LANES; q < N; q++, z += LANES) {
          const p = P[i * N + q]!
          zA[z]! += a0 * p
          zA[z + 1]! += a1 * p
          zA[z + 2]! += a2 * p
          zA[z + 3]! += a3 * p
        }
      }
  }

  const addRow = (B: Float64Array, j: number, block: number) => {
    const k = block * LANES
    const at = j * r + k
    const [b0, b1] = [lane(B, k, at), lane(B, k + 1, at + 1)]
    const [b2, b3] = [lane(B, k + 2, at + 2), lane(B, k + 3, at + 3)]
    for (let q = 0, z = block * N * LANES; q < N; q++, z += LANES)
      row[q]! += b0 * zA[z]! + b1 * zA[z + 1]! + b2 * zA[z + 2]! + b3 * zA[z + 3]!
  }

  const backwardRow = (B: Float64Array, gradB: Float64Array, j: number, block: number) => {
    const k = block * LANES
    const at = j * r + k
    const [b0, b1] = [lane(B, k, at), lane(B, k + 1, at + 1)]
    const [b2, b3] = [lane(B, k + 2, at + 2), lane(B, k + 3, at + 3)]
    let [s0, s1, s2, s3] = [0, 0, 0, 0]
    for (let q = 0, z = block * N * LANES; q < N; q++, z += LANES) {
      const g = row[q]!
      s0 += g * zA[z]!
      s1 += g * zA[z + 1]!
      s2 += g * zA[z + 2]!
      s3 += g * zA[z + 3]!
      gradZ[z]! += b0 * g
      gradZ[z + 1]! += b1 * g
      gradZ[z + 2]! += b2 * g
      gradZ[z + 3]! += b3 * g
    }
    gradB[at] = s0
    if (k + 1 < r) gradB[at + 1] = s1
    if (k + 2 < r) gradB[at + 2] = s2
    if (k + 3 < r) gradB[at + 3] = s3
  }

  const computeGradA = (gradA: Float64Array) => {
    for (let block = 0; block < blocks; block++)
      for (let i = 0; i < n; i++) {
        let [s0, s1, s2, s3] = [0, 0, 0, 0]
        for (let q = 0, z = block * N * LANES; q < N; q++, z += LANES) {
          const p = P[i * N + q]!
          s0 += gradZ[z]! * p
          s1 += gradZ[z + 1]! * p
          s2 += gradZ[z + 2]! * p
          s3 += gradZ[z + 3]! * p
        }
        const k = block * LANES
        gradA[k * n + i] = s0
        if (k + 1 < r) gradA[(k + 1) * n + i] = s1
        if (k + 2 < r) gradA[(k + 2) * n + i] = s2
        if (k + 3 < r) gradA[(k + 3) * n + i] = s3
      }
  }

  return ({ A, B, gradA, gradB }) => {
    computeZ(A)
    f.fill(0)
    let squaresB = 0
    for (let j = 0; j < n; j++) {
      row.fill(0)
      for (let block = 0; block < blocks; block++) addRow(B, j, block)
      const w = wOut[j]!
      for (let q = 0; q < N; q++) {
        const zB = row[q]!
        squaresB += zB * zB
        const h = H[j * N + q]! + zB
        active[j * N + q] = h > 0 ? 1 : 0
        f[q]! += h > 0 ? w * h : 0
      }
    }
    let [loss, change] = [0, 0]
    for (let q = 0; q < N; q++) {
      const residual = f[q]! - y[q]!
      loss += (residual * residual) / (2 * N)
      change += (f[q]! - f0[q]!) ** 2
      f[q] = residual / N
    }
    gradZ.fill(0)
    for (let j = 0; j < n; j++) {
      const w = wOut[j]!
      for (let q = 0; q < N; q++) row[q] = active[j * N + q] === 1 ? w * f[q]! : 0
      for (let block = 0; block < blocks; block++) backwardRow(B, gradB, j, block)
    }
    computeGradA(gradA)
    let squaresA = 0
    for (const z of zA) squaresA += z * z
    return {
      loss,
      zA: Math.sqrt(squaresA / (r * N)),
      zB: Math.sqrt(squaresB / (n * N)),
      outputChange: Math.sqrt(change / N),
    }
  }
}

/** Adam with the constants of `program/optimiser`, in place. */
function adamStep(factor: Float64Array, gradient: Float64Array, rate: number): (t: number) => void {
  const mean = new Float64Array(factor.length)
  const square = new Float64Array(factor.length)
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8]
  return (t) => {
    const [first, second] = [1 / (1 - beta1 ** t), 1 / (1 - beta2 ** t)]
    for (let i = 0; i < factor.length; i++) {
      const g = gradient[i]!
      mean[i] = beta1 * mean[i]! + (1 - beta1) * g
      square[i] = beta2 * square[i]! + (1 - beta2) * g * g
      factor[i]! -= (rate * first * mean[i]!) / (Math.sqrt(second * square[i]!) + epsilon)
    }
  }
}
