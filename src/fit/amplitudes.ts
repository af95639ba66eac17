/** One power of the width in a sum of powers, and which amplitudes it may have beside the first, leading one. */
export interface PowerColumn {
  readonly kind: "term" | "correction" | "cross"
  /** Its value at each width for amplitude 1, the narrowest width first, all > 0. */
  readonly values: readonly number[]
}

/** Amplitudes of least squares. */
export interface Amplitudes {
  /** One a column. */
  readonly amplitudes: readonly number[]
  /** The sum of squares that they leave. */
  readonly residual: number
}

/**
 * Least squares over admissible amplitudes: the leading one, of the first column, is a₀ ≥ 0. A term's lies between 0
 * and where it is 1 / share times the leading one at the widest width; corrections, of either sign, may together not
 * exceed the leading one at the narrowest width; that of a cross term between the first two columns is b² ≤ 4 a₀ a₁.
 *
 * These amplitudes form a convex cone. Its extreme ray along any gradient has a closed form, so rays are added one at a
 * time, and after each the non-negative least squares over all so far is solved anew (Lawson and Hanson 1974, with rays
 * made as they are needed). Powers close to each other are all but dependent, and many of them cost little so.
 *
 * @param share > 0, or null: then the first amplitude is ≥ 0 and every other one free.
 */
export function leastSquares(
  columns: readonly PowerColumn[],
  target: readonly number[],
  share: number | null,
): Amplitudes {
  const norms = columns.map(({ values }) => Math.sqrt(dot(values, values)))
  const units = columns.map(({ values }, k) => values.map((x) => x / norms[k]!))
  const cone = share === null ? freeCone(columns.length) : boundedCone(columns, norms, share)
  const scale = Math.sqrt(dot(target, target))
  let rays: readonly Ray[] = []
  let rest = target
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const gradient = units.map((unit) => dot(unit, rest))
    const direction = cone(gradient)
    const values = combined(units, direction)
    const size = Math.sqrt(dot(values, values))
    // Half of what other amplitudes could still gain, where the best ray is about as long as this one (the duality gap
    // of Frank and Wolfe).
    const gap = (scale * dot(values, rest)) / size
    if (!(gap > Math.max(EXACT * scale ** 2, PRECISION * dot(rest, rest)))) break
    const better = nonNegative([...rays, { direction, values, weight: 0 }], target)
    // A ray that depends on the others to rounding improves nothing any more.
    if (better === null) break
    const left = remainder(target, better)
    if (!(dot(left, left) < dot(rest, rest))) break
    rays = better
    rest = left
  }
  const amplitudes = norms.map(
    (norm, k) => rays.reduce((sum, { direction, weight }) => sum + weight * direction[k]!, 0) / norm,
  )
  return { amplitudes, residual: dot(rest, rest) }
}

/** To which part of itself the residual is found. */
const PRECISION = 1e-6
/** A residual as small as this beside the target is rounding. */
const EXACT = 1e-12
const MOST_ROUNDS = 1000

/** The amplitudes of a cone's slice that a gradient prefers. */
type Cone = (gradient: readonly number[]) => number[]

/** The first amplitude ≥ 0, the others of either sign: one axis at a time. */
function freeCone(count: number): Cone {
  return (gradient) => {
    const along = gradient.map((g, k) => (k === 0 ? Math.max(0, g) : g))
    const steepest = largest(along)
    return Array.from({ length: count }, (_, k) => (k === steepest ? Math.sign(along[k]!) : 0))
  }
}

/** The slice where the leading amplitude is 1, in columns of unit length. */
function boundedCone(columns: readonly PowerColumn[], norms: readonly number[], share: number): Cone {
  const last = columns[0]!.values.length - 1
  const most = columns.map(({ kind, values }, k) => {
    const at = kind === "term" ? last : 0
    const ratio = (columns[0]!.values[at]! / values[at]!) * (norms[k]! / norms[0]!)
    return kind === "term" ? ratio / share : ratio
  })
  const cross = columns.findIndex(({ kind }) => kind === "cross")
  // b² ≤ 4 a₀ a₁ in these units: |b| ≤ 2 √a₁ × this.
  const coupling = cross < 0 ? 0 : norms[cross]! / Math.sqrt(norms[0]! * norms[1]!)
  return (gradient) => {
    const steepest = largest(columns.map(({ kind }, k) => (kind === "correction" ? gradient[k]! * most[k]! : 0)))
    const direction = columns.map(({ kind }, k) => {
      if (k === 0) return 1
      if (kind === "term") return gradient[k]! > 0 ? most[k]! : 0
      return k === steepest ? Math.sign(gradient[k]!) * most[k]! : 0
    })
    if (cross < 0) return direction
    // g₁ a₁ + 2 |g| √a₁ is greatest where its slope vanishes, or at a₁'s bound.
    const top = Math.sqrt(most[1]!)
    const pull = coupling * Math.abs(gradient[cross]!)
    const root = gradient[1]! < 0 ? Math.min(top, pull / -gradient[1]!) : top
    direction[1] = root ** 2
    direction[cross] = Math.sign(gradient[cross]!) * 2 * coupling * root
    return direction
  }
}

/** The index of the largest absolute value. */
function largest(values: readonly number[]): number {
  return values.reduce((best, x, k) => (Math.abs(x) > Math.abs(values[best]!) ? k : best), 0)
}

/** A ray of the cone: amplitudes, their sum at each width, and how much of it is taken. */
interface Ray {
  readonly direction: readonly number[]
  readonly values: readonly number[]
  readonly weight: number
}

/**
 * Non-negative least squares over rays, all but the last of which have a solution's weights; null if they are
 * dependent.
 */
function nonNegative(rays: readonly Ray[], target: readonly number[]): readonly Ray[] | null {
  let active = rays
  for (;;) {
    const solved = solve(active, target)
    if (solved === null) return null
    // As far towards the solution as all weights stay ≥ 0: those that vanish there leave.
    let part = 1
    for (const [k, { weight }] of active.entries())
      if (solved[k]! <= 0) part = Math.min(part, weight / (weight - solved[k]!))
    const moved: Ray[] = []
    for (const [k, { direction, values, weight }] of active.entries()) {
      const vanishes = solved[k]! <= 0 && weight / (weight - solved[k]!) <= part
      if (!vanishes) moved.push({ direction, values, weight: weight + part * (solved[k]! - weight) })
    }
    if (moved.length === active.length) return moved
    active = moved
  }
}

/**
 * Weights of least squares by modified Gram–Schmidt, which the hot loop needs faster than an SVD; null if rays are
 * dependent.
 */
function solve(rays: readonly Ray[], target: readonly number[]): number[] | null {
  const rest = target.slice()
  const basis: number[][] = []
  const upper: number[][] = []
  const weights: number[] = []
  for (const { values } of rays) {
    const column = values.slice()
    const before = dot(column, column)
    const row: number[] = []
    for (const unit of basis) row.push(subtractAlong(column, unit))
    const after = dot(column, column)
    if (!(after > DEPENDENT * before)) return null
    const norm = Math.sqrt(after)
    for (let i = 0; i < column.length; i++) column[i]! /= norm
    row.push(norm)
    upper.push(row)
    basis.push(column)
    weights.push(subtractAlong(rest, column))
  }
  for (let k = rays.length - 1; k >= 0; k--) {
    for (let later = k + 1; later < rays.length; later++) weights[k]! -= upper[later]![k]! * weights[later]!
    weights[k]! /= upper[k]![k]!
  }
  return weights
}

/** Columns whose square falls to this part of itself beside the others count as dependent on them. */
const DEPENDENT = 1e-14

/** A sum of vectors with the given weights. */
function combined(vectors: readonly (readonly number[])[], weights: readonly number[]): number[] {
  const sum: number[] = new Array(vectors[0]!.length).fill(0)
  for (const [k, vector] of vectors.entries())
    if (weights[k] !== 0) for (let i = 0; i < sum.length; i++) sum[i]! += weights[k]! * vector[i]!
  return sum
}

/** What the rays leave of a target. */
function remainder(target: readonly number[], rays: readonly Ray[]): number[] {
  const rest = target.slice()
  for (const { values, weight } of rays) for (let i = 0; i < rest.length; i++) rest[i]! -= weight * values[i]!
  return rest
}

function dot(x: readonly number[], y: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
  return sum
}

/** Takes from a vector its part along a unit vector, and returns that part. */
function subtractAlong(vector: number[], unit: readonly number[]): number {
  const part = dot(vector, unit)
  for (let i = 0; i < vector.length; i++) vector[i]! -= part * unit[i]!
  return part
}
