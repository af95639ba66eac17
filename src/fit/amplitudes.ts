/** One power of the width in a sum of powers, and which amplitudes it may have beside the first, leading one. */
export interface Column {
  readonly kind: "term" | "correction"
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
 * Least squares over admissible amplitudes: the leading one, of the first column, is a₀ ≥ 0. A term's lies between 0 and
 * where it is 1 / share times the leading one at the widest width; corrections, of either sign, may together not exceed
 * the leading one at the narrowest width.
 *
 * These amplitudes form a convex cone. Its extreme ray along any gradient has a closed form, so rays are added one at a time, and
 * after each the non-negative least squares over all so far is solved anew (Lawson and Hanson 1974, with rays made as they
 * are needed). Powers close to each other are all but dependent, and many of them cost little so.
 *
 * @param share > 0, or null: then the first amplitude is ≥ 0 and every other one free.
 */
export function leastSquares(columns: readonly Column[], target: readonly number[], share: number | null): Amplitudes {
  const norms = columns.map(({ values }) => Math.sqrt(dot(values, values)))
  const units = columns.map(({ values }, k) => values.map((x) => x / norms[k]!))
  const cone = share === null ? freeCone(columns.length) : boundedCone(columns, norms, share)
  const scale = Math.sqrt(dot(target, target))
  let rays: Ray[] = []
  let rest = [...target]
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const direction = cone(units.map((unit) => dot(unit, rest)))
    const values = rest.map((_, i) => units.reduce((sum, unit, k) => sum + direction[k]! * unit[i]!, 0))
    const size = Math.sqrt(dot(values, values))
    if (!(dot(values, rest) > CONVERGED * size * scale)) break
    const ray = { direction: direction.map((x) => x / size), values: values.map((x) => x / size), weight: 0 }
    const better = nonNegative([...rays, ray], target)
    // A ray that depends on the others to rounding improves nothing any more.
    if (better === null) break
    const left = target.map((y, i) => better.reduce((sum, { values, weight }) => sum - weight * values[i]!, y))
    if (!(dot(left, left) < dot(rest, rest))) break
    rays = better
    rest = left
  }
  const amplitudes = columns.map(
    (_, k) => rays.reduce((sum, { direction, weight }) => sum + weight * direction[k]!, 0) / norms[k]!,
  )
  return { amplitudes, residual: dot(rest, rest) }
}

/** A ray's cosine with what is left, relative to the target: below this it does not improve the fit. */
const CONVERGED = 1e-10
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
function boundedCone(columns: readonly Column[], norms: readonly number[], share: number): Cone {
  const last = columns[0]!.values.length - 1
  const most = columns.map(({ kind, values }, k) => {
    const at = kind === "term" ? last : 0
    const ratio = (columns[0]!.values[at]! / values[at]!) * (norms[k]! / norms[0]!)
    return kind === "term" ? ratio / share : ratio
  })
  return (gradient) => {
    const steepest = largest(columns.map(({ kind }, k) => (kind === "correction" ? gradient[k]! * most[k]! : 0)))
    return columns.map(({ kind }, k) => {
      if (k === 0) return 1
      if (kind === "term") return gradient[k]! > 0 ? most[k]! : 0
      return k === steepest ? Math.sign(gradient[k]!) * most[k]! : 0
    })
  }
}

/** The index of the largest absolute value. */
function largest(values: readonly number[]): number {
  return values.reduce((best, x, k) => (Math.abs(x) > Math.abs(values[best]!) ? k : best), 0)
}

/** A ray of unit length of the cone: amplitudes, their sum at each width, and how much of it is taken. */
interface Ray {
  readonly direction: readonly number[]
  readonly values: readonly number[]
  readonly weight: number
}

/** Non-negative least squares over rays, all but the last of which have a solution's weights; null if they are dependent. */
function nonNegative(rays: readonly Ray[], target: readonly number[]): Ray[] | null {
  let active = [...rays]
  for (;;) {
    const solved = solve(
      active.map(({ values }) => values),
      target,
    )
    if (solved === null) return null
    if (solved.every((weight) => weight > 0)) return active.map((ray, k) => ({ ...ray, weight: solved[k]! }))
    // As far towards the solution as all weights stay ≥ 0: those that vanish there leave.
    const parts = active.map(({ weight }, k) => (solved[k]! > 0 ? 1 : weight / (weight - solved[k]!)))
    const part = Math.min(...parts)
    active = active.flatMap((ray, k) =>
      solved[k]! <= 0 && parts[k] === part ? [] : [{ ...ray, weight: ray.weight + part * (solved[k]! - ray.weight) }],
    )
  }
}

/** Weights of least squares by modified Gram–Schmidt, which the hot loop needs faster than an SVD; null if columns are dependent. */
function solve(columns: readonly (readonly number[])[], target: readonly number[]): number[] | null {
  const rest = [...target]
  const basis: number[][] = []
  const upper: number[][] = []
  const right: number[] = []
  for (const [k, given] of columns.entries()) {
    const column = [...given]
    const before = dot(column, column)
    upper.push(basis.map((unit) => subtractAlong(column, unit)))
    const after = dot(column, column)
    if (!(after > DEPENDENT * before)) return null
    const norm = Math.sqrt(after)
    for (let i = 0; i < column.length; i++) column[i]! /= norm
    upper[k]!.push(norm)
    basis.push(column)
    right.push(subtractAlong(rest, column))
  }
  for (let k = columns.length - 1; k >= 0; k--) {
    for (let later = k + 1; later < columns.length; later++) right[k]! -= upper[later]![k]! * right[later]!
    right[k]! /= upper[k]![k]!
  }
  return right
}

/** Columns whose square falls to this part of itself beside the others count as dependent on them. */
const DEPENDENT = 1e-14

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
