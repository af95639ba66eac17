/** Norms and spectra of products of tall factors from r × r Gram matrices, in float64. */
import { Matrix, SingularValueDecomposition } from "ml-matrix"
import { pivotedCholesky } from "../train/pivotedCholesky.js"

/** A symmetric r × r matrix as a row-major array. */
export type Gram = Float64Array

const side = (gram: Gram) => Math.sqrt(gram.length)

const VALUES_ALONE = { computeLeftSingularVectors: false, computeRightSingularVectors: false }

/** The eigenvalues of a positive semidefinite matrix, falling: its singular values. */
function eigenvalues(of: Matrix): number[] {
  return new SingularValueDecomposition(of, VALUES_ALONE).diagonal
}

/** Singular values of X, falling, from X Xᵀ: those below 1e-8 of the largest are rounding. */
export function singularValues(gram: Gram): number[] {
  return gram.every(Number.isFinite) ? eigenvalues(matrix(gram)).map(Math.sqrt) : []
}

/**
 * Singular values of YᵀX, falling, from X Xᵀ and Y Yᵀ: with Y Yᵀ = SᵀS those of the core S X Xᵀ Sᵀ, of at most r rows.
 *
 * @param x X Xᵀ of r × n.
 * @param y Y Yᵀ of r × m.
 */
export function productSpectrum(x: Gram, y: Gram): number[] {
  if (!x.every(Number.isFinite) || !y.every(Number.isFinite)) return []
  const r = side(y)
  const { rows: count, root } = pivotedCholesky(y, r, r)
  const spectrum = new Array<number>(r).fill(0)
  if (count === 0) return spectrum
  for (const [i, value] of eigenvalues(congruent(x, root, r, count)).entries()) spectrum[i] = Math.sqrt(value)
  return spectrum
}

/** S G Sᵀ for S of `count` rows of r: the inner sums run along rows of all three. */
function congruent(gram: Gram, s: Float64Array, r: number, count: number): Matrix {
  const core = new Matrix(count, count)
  const row = new Float64Array(r)
  for (let i = 0; i < count; i++) {
    row.fill(0)
    for (let k = 0; k < r; k++) {
      const share = s[i * r + k]!
      for (let j = 0; j < r; j++) row[j]! += share * gram[k * r + j]!
    }
    for (let j = i; j < count; j++) {
      let sum = 0
      for (let k = 0; k < r; k++) sum += row[k]! * s[j * r + k]!
      core.set(i, j, sum)
      core.set(j, i, sum)
    }
  }
  return core
}

/** Rounds of the power method: its error falls with (σ₂/σ₁)⁴ a round. */
const ROUNDS = 40

/**
 * The largest singular value of YᵀX by the power method on G_X G_Y, from below and to about a percent at worst: the
 * Rayleigh quotient of v is taken in the inner product ⟨v, G_Y v⟩, in which that product is symmetric.
 */
export function productLargest(x: Gram, y: Gram): number {
  const r = side(x)
  const vector = Float64Array.from({ length: r }, (_, i) => 1 + ((i * 7919) % 101) / 101)
  let value = 0
  for (let round = 0; round < ROUNDS; round++) {
    const weighted = times(y, vector)
    const next = times(x, weighted)
    value = dot(next, weighted) / dot(vector, weighted)
    const length = Math.sqrt(dot(next, next))
    if (!(length > 0)) return length
    for (let i = 0; i < r; i++) vector[i] = next[i]! / length
  }
  return Math.sqrt(value)
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
  return sum
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
 * The canonical correlations of the row spaces of X and Y, rising: 1 for a direction that both hold, 0 for one that
 * only one holds; null where one of them has fewer than r directions.
 *
 * @param cross X Yᵀ.
 */
export function canonicalCorrelations(x: Gram, y: Gram, cross: Gram): number[] | null {
  const [p, q] = [cholesky(x), cholesky(y)]
  if (p === null || q === null) return null
  const core = matrix(solved(q, transposed(solved(p, cross))))
  return new SingularValueDecomposition(core, VALUES_ALONE).diagonal.map((value) => Math.min(1, value)).reverse()
}

/** Directions weaker than this share of the strongest are rounding, not directions. */
const NO_DIRECTION = 1e-12

/** The lower triangle L of G = L Lᵀ, row-major; null where G has fewer than r directions. */
function cholesky(gram: Gram): Float64Array | null {
  const r = side(gram)
  const lower = new Float64Array(r * r)
  let most = 0
  for (let i = 0; i < r; i++) most = Math.max(most, gram[i * (r + 1)]!)
  for (let i = 0; i < r; i++)
    for (let j = 0; j <= i; j++) {
      let rest = gram[i * r + j]!
      for (let k = 0; k < j; k++) rest -= lower[i * r + k]! * lower[j * r + k]!
      if (j < i) lower[i * r + j] = rest / lower[j * (r + 1)]!
      else if (rest > NO_DIRECTION * most && rest < Number.POSITIVE_INFINITY) lower[i * (r + 1)] = Math.sqrt(rest)
      else return null
    }
  return lower
}

/** L⁻¹ C of r × r matrices, row by row. */
function solved(lower: Float64Array, of: Float64Array): Float64Array {
  const r = side(of)
  const result = of.slice()
  for (let i = 0; i < r; i++) {
    for (let k = 0; k < i; k++) {
      const share = lower[i * r + k]!
      for (let j = 0; j < r; j++) result[i * r + j]! -= share * result[k * r + j]!
    }
    for (let j = 0; j < r; j++) result[i * r + j]! /= lower[i * (r + 1)]!
  }
  return result
}

function transposed(of: Float64Array): Float64Array {
  const r = side(of)
  return of.map((_, at) => of[(at % r) * r + Math.floor(at / r)]!)
}

function rows(values: Float64Array, columns: number): number[][] {
  return Array.from({ length: values.length / columns }, (_, i) => [...values.subarray(i * columns, (i + 1) * columns)])
}

const matrix = (gram: Gram) => new Matrix(rows(gram, side(gram)))

/**
 * The angle in degrees between two vectors of lengths p and q that differ by one of length d, exact also where it is
 * small; null where one is zero. Source: Kahan, Miscalculating Area and Angles of a Needle-like Triangle.
 */
export function angleBetween(p: number, q: number, d: number): number | null {
  if (!(p > 0 && q > 0)) return null
  const [a, b] = [Math.max(p, q), Math.min(p, q)]
  // Rounding may make of a needle no triangle at all.
  const least = Math.max(0, b >= d ? d - (a - b) : b - (a - d))
  const most = Math.max(0, a - d + b)
  return (360 / Math.PI) * Math.atan2(Math.sqrt((a - b + d) * least), Math.sqrt((a + (b + d)) * most))
}

/**
 * e to the entropy of the singular values' shares: r where all are equal, 1 for one; null for none. Source: Roy and
 * Vetterli, 2007.
 */
export function effectiveRank(spectrum: readonly number[]): number | null {
  const total = spectrum.reduce((sum, value) => sum + value, 0)
  if (!(total > 0)) return null
  const entropy = spectrum.reduce(
    (sum, value) => (value > 0 ? sum - (value / total) * Math.log(value / total) : sum),
    0,
  )
  return Math.exp(entropy)
}
