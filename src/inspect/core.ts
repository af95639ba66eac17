/** Norms and spectra of products of tall factors from r × r Gram matrices, in float64. */
import { EigenvalueDecomposition, Matrix } from "ml-matrix"

/** A symmetric r × r matrix as a row-major array. */
export type Gram = Float64Array

const side = (gram: Gram) => Math.sqrt(gram.length)

/** The eigenvalues of a positive semidefinite matrix, falling; what rounding makes negative is 0. */
function eigenvalues(gram: Gram): number[] {
  const { realEigenvalues } = new EigenvalueDecomposition(matrix(gram), { assumeSymmetric: true })
  return realEigenvalues.map((value) => Math.max(0, value)).sort((p, q) => q - p)
}

/** Singular values of X, falling, from X Xᵀ: those below 1e-8 of the largest are rounding. */
export function singularValues(gram: Gram): number[] {
  return gram.every(Number.isFinite) ? eigenvalues(gram).map(Math.sqrt) : []
}

/**
 * Singular values of YᵀX, falling, from X Xᵀ and Y Yᵀ: those of the r × r core G_Y^½ G_X G_Y^½.
 *
 * @param x X Xᵀ of r × n.
 * @param y Y Yᵀ of r × m.
 */
export function productSpectrum(x: Gram, y: Gram): number[] {
  if (!x.every(Number.isFinite) || !y.every(Number.isFinite)) return []
  const root = squareRoot(y)
  return eigenvalues(array(root.mmul(matrix(x)).mmul(root))).map(Math.sqrt)
}

/** Rounds of the power method: its error falls with (σ₂/σ₁)⁴ a round, and the largest value is approached from below. */
const ROUNDS = 40

/** The largest singular value of YᵀX by the power method on G_X G_Y, to about a percent at worst. */
export function productLargest(x: Gram, y: Gram): number {
  const r = side(x)
  let vector = Float64Array.from({ length: r }, (_, i) => 1 + ((i * 7919) % 101) / 101)
  let value = 0
  for (let round = 0; round < ROUNDS; round++) {
    const next = times(x, times(y, vector))
    const length = Math.hypot(...next)
    if (!(length > 0)) return length
    value = length
    vector = next.map((entry) => entry / length)
  }
  return Math.sqrt(value)
}

function times(gram: Gram, vector: Float64Array): Float64Array {
  const r = vector.length
  const result = new Float64Array(r)
  for (let i = 0; i < r; i++) {
    let sum = 0
    for (let j = 0; j < r; j++) sum += gram[i * r + j]! * vector[j]!
    result[i] = sum
  }
  return result
}

/** ‖YᵀX‖ Frobenius: the root of tr(Y Yᵀ X Xᵀ). */
export function productNorm(x: Gram, y: Gram): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
  return Math.sqrt(Math.max(0, sum))
}

/**
 * The canonical correlations of the row spaces of X and Y, rising: 1 for a direction that both hold, 0 for one that only
 * one holds; null where one of them has fewer than r directions.
 *
 * @param cross X Yᵀ.
 */
export function canonicalCorrelations(x: Gram, y: Gram, cross: Gram): number[] | null {
  const [p, q] = [inverseRoot(x), inverseRoot(y)]
  if (p === null || q === null) return null
  const core = p.mmul(new Matrix(rows(cross))).mmul(q)
  return eigenvalues(array(core.mmul(core.transpose())))
    .map((value) => Math.min(1, Math.sqrt(value)))
    .reverse()
}

/** Directions weaker than this share of the strongest are rounding, not directions. */
const NO_DIRECTION = 1e-12

function inverseRoot(gram: Gram): Matrix | null {
  if (!gram.every(Number.isFinite)) return null
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix(gram), { assumeSymmetric: true })
  const most = Math.max(...realEigenvalues)
  if (!(most > 0) || realEigenvalues.some((value) => value <= NO_DIRECTION * most)) return null
  const scaled = Matrix.diag(realEigenvalues.map((value) => 1 / Math.sqrt(value)))
  return eigenvectorMatrix.mmul(scaled).mmul(eigenvectorMatrix.transpose())
}

function squareRoot(gram: Gram): Matrix {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix(gram), { assumeSymmetric: true })
  const scaled = Matrix.diag(realEigenvalues.map((value) => Math.sqrt(Math.max(0, value))))
  return eigenvectorMatrix.mmul(scaled).mmul(eigenvectorMatrix.transpose())
}

function rows(gram: Gram): number[][] {
  const r = side(gram)
  return Array.from({ length: r }, (_, i) => [...gram.subarray(i * r, (i + 1) * r)])
}

const matrix = (gram: Gram) => new Matrix(rows(gram))
const array = (of: Matrix): Gram => Float64Array.from(of.to1DArray())

/** e to the entropy of the singular values' shares: r where all are equal, 1 for one; null for none. Source: Roy and Vetterli, 2007. */
export function effectiveRank(spectrum: readonly number[]): number | null {
  const total = spectrum.reduce((sum, value) => sum + value, 0)
  if (!(total > 0)) return null
  const entropy = spectrum.reduce(
    (sum, value) => (value > 0 ? sum - (value / total) * Math.log(value / total) : sum),
    0,
  )
  return Math.exp(entropy)
}
