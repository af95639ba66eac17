import { EigenvalueDecomposition, Matrix as LinearAlgebra } from "ml-matrix"

/** An eigenvalue below this part of the largest is zero in floating point. */
const NEGLIGIBLE = 1e-12

/**
 * (S + δI)^(−power) of a symmetric matrix S ≥ 0, its eigenvalues that are zero in floating point left at zero.
 *
 * @param entries S row by row, of `side` rows.
 */
export function inversePower(entries: Float64Array, side: number, power: 1 | "1/2", damping = 0): Float64Array {
  if (!entries.every(Number.isFinite)) return entries.map(() => Number.NaN)
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    LinearAlgebra.from1DArray(side, side, entries),
    { assumeSymmetric: true },
  )
  const shifted = realEigenvalues.map((value) => Math.max(value, 0) + damping)
  const largest = Math.max(...shifted)
  const inverse = shifted.map((value) =>
    value > NEGLIGIBLE * largest ? 1 / (power === 1 ? value : Math.sqrt(value)) : 0,
  )
  const product = eigenvectorMatrix.mmul(LinearAlgebra.diag(inverse)).mmul(eigenvectorMatrix.transpose())
  return Float64Array.from(product.to1DArray())
}
