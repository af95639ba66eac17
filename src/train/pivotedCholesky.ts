/**
 * A matrix S (k×N, row-major, k ≤ N) with SᵀS = G for a positive semidefinite G, singular or not: Cholesky's factor
 * with the largest remaining diagonal entry as pivot, columns left in their places.
 *
 * It ends where the remaining diagonal is below N ε of the largest entry, ε = 2⁻⁵³: rounding. So SᵀS is off by about
 * that, as any factor computed from a rounded G is (Higham, Accuracy and Stability of Numerical Algorithms, section
 * 10.3).
 *
 * @param gram N rows of `stride` numbers, read on and above the diagonal.
 */
export function pivotedCholesky(gram: Float64Array, N: number, stride: number): { rows: number; root: Float64Array } {
  const entry = (i: number, j: number) => (i < j ? gram[i * stride + j]! : gram[j * stride + i]!)
  const rest = Float64Array.from({ length: N }, (_, j) => entry(j, j))
  const negligible = N * 2 ** -53 * rest.reduce((x, y) => Math.max(x, y), 0)
  const root = new Float64Array(N * N)
  for (let k = 0; k < N; k++) {
    let pivot = 0
    for (let j = 1; j < N; j++) if (rest[j]! > rest[pivot]!) pivot = j
    if (!(rest[pivot]! > negligible)) return { rows: k, root: root.subarray(0, k * N) }
    const row = root.subarray(k * N, (k + 1) * N)
    for (let j = 0; j < N; j++) row[j] = entry(pivot, j)
    for (let i = 0; i < k; i++) {
      const share = root[i * N + pivot]!
      for (let j = 0; j < N; j++) row[j]! -= share * root[i * N + j]!
    }
    const diagonal = Math.sqrt(rest[pivot]!)
    for (let j = 0; j < N; j++) {
      row[j] = rest[j] === Number.NEGATIVE_INFINITY ? 0 : row[j]! / diagonal
      rest[j]! -= row[j]! ** 2
    }
    row[pivot] = diagonal
    // Done with: never a pivot again, and zero in all later rows.
    rest[pivot] = Number.NEGATIVE_INFINITY
  }
  return { rows: N, root }
}
