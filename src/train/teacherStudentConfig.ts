/** One run: the data's sizes, the adapter's start, the two rates. */
export interface TeacherStudentConfig {
  readonly width: number
  readonly rank: number
  readonly inputs: number
  readonly samples: number
  readonly teacherWidth: number
  /** The exponent o of the readout's entries N(0, n^(−2o)). */
  readonly readout: number
  readonly steps: number
  readonly seed: number
  /** Standard deviations of the entries of A₀ and B₀; 0 is a zero factor. */
  readonly start: { readonly A: number; readonly B: number }
  readonly rates: { readonly A: number; readonly B: number }
  /** Every how many steps the coordinates are kept. */
  readonly recordEvery: number
}

/** The adapter's factors, A: r×n, B: n×r, row-major. */
export interface FactorArrays {
  readonly A: Float64Array
  readonly B: Float64Array
}

/** Everything of the teacher-student experiment that training does not change; matrices are row-major. */
export interface TeacherStudentData {
  /** φ(W_in X), n×N. */
  readonly P: Float32Array
  /** W_h P, n×N. */
  readonly H: Float32Array
  readonly wOut: Float64Array
  readonly y: Float64Array
}
