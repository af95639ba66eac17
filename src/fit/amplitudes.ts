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
  const cone = share === null ? freeCone() : boundedCone(columns, norms, share)
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
    const better = nonNegative(rays, { direction, values }, target)
    // A ray that depends on the others to rounding improves nothing any more.
    if (better === null) break
    const left = remainder(target, better)
    if (!(dot(left, left) < dot(rest, rest))) break
    rays = better
    rest = left
  }
  const amplitudes = norms.map(
    (norm, k) => rays.reduce((sum, { along, weight }) => sum + weight * along.direction[k]!, 0) / norm,
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
function freeCone(): Cone {
  return (gradient) => {
    let steepest = 0
    let most = Math.max(0, gradient[0]!)
    for (let k = 1; k < gradient.length; k++)
      if (Math.abs(gradient[k]!) > Math.abs(most)) [steepest, most] = [k, gradient[k]!]
    return gradient.map((_, k) => (k === steepest ? Math.sign(most) : 0))
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
    const direction: number[] = [1]
    let [steepest, gain] = [0, 0]
    for (let k = 1; k < columns.length; k++) {
      const isTerm = columns[k]!.kind === "term"
      direction.push(isTerm && gradient[k]! > 0 ? most[k]! : 0)
      const own = columns[k]!.kind === "correction" ? gradient[k]! * most[k]! : 0
      if (Math.abs(own) > Math.abs(gain)) [steepest, gain] = [k, own]
    }
    if (steepest > 0) direction[steepest] = Math.sign(gain) * most[steepest]!
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

/** A ray of the cone: amplitudes, and their sum at each width. */
interface Direction {
  readonly direction: readonly number[]
  readonly values: readonly number[]
}

/** A ray beside those before it, and how much of it is taken. */
interface Ray {
  readonly along: Direction
  readonly row: Row
  readonly weight: number
}

/** What modified Gram–Schmidt says of a ray; the hot loop needs it faster than an SVD. */
interface Row {
  /** What the ray adds to those before it, of length 1. */
  readonly unit: readonly number[]
  /** The ray's parts along the units up to its own. */
  readonly parts: readonly number[]
  /** The target's part along the unit. */
  readonly reach: number
  /** What the rays up to this one leave of the target. */
  readonly rest: readonly number[]
}

/** Non-negative least squares over rays that have a solution's weights, and one more; null if they are dependent. */
function nonNegative(rays: readonly Ray[], added: Direction, target: readonly number[]): readonly Ray[] | null {
  const first = rowOf(added, rays, target)
  if (first === null) return null
  let active: readonly Ray[] = [...rays, { along: added, row: first, weight: 0 }]
  for (;;) {
    const weights = solve(active)
    // As far towards the solution as all weights stay ≥ 0: those that vanish there leave.
    let part = 1
    for (let k = 0; k < active.length; k++)
      if (weights[k]! <= 0) part = Math.min(part, active[k]!.weight / (active[k]!.weight - weights[k]!))
    const moved: Ray[] = []
    for (let k = 0; k < active.length; k++) {
      const { along, row: own, weight } = active[k]!
      if (weights[k]! <= 0 && weight / (weight - weights[k]!) <= part) continue
      // The row stays where all before it did.
      const row = moved.length === k ? own : rowOf(along, moved, target)
      if (row === null) return null
      moved.push({ along, row, weight: weight + part * (weights[k]! - weight) })
    }
    if (moved.length === active.length) return moved
    active = moved
  }
}

/** The row of a ray behind others; null if it depends on them. */
function rowOf({ values }: Direction, before: readonly Ray[], target: readonly number[]): Row | null {
  const unit = values.slice()
  const square = dot(unit, unit)
  const parts: number[] = []
  for (let k = 0; k < before.length; k++) parts.push(subtractAlong(unit, before[k]!.row.unit))
  const left = dot(unit, unit)
  if (!(left > DEPENDENT * square)) return null
  const norm = Math.sqrt(left)
  parts.push(norm)
  for (let i = 0; i < unit.length; i++) unit[i]! /= norm
  const rest = (before.length === 0 ? target : before[before.length - 1]!.row.rest).slice()
  return { unit, parts, reach: subtractAlong(rest, unit), rest }
}

/** Weights of least squares, from the last ray's to the first's. */
function solve(rays: readonly Ray[]): number[] {
  const weights = rays.map(({ row }) => row.reach)
  for (let k = rays.length - 1; k >= 0; k--) {
    for (let later = k + 1; later < rays.length; later++) weights[k]! -= rays[later]!.row.parts[k]! * weights[later]!
    weights[k]! /= rays[k]!.row.parts[k]!
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
  for (const { along, weight } of rays) for (let i = 0; i < rest.length; i++) rest[i]! -= weight * along.values[i]!
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
