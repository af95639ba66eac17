/** One power of the width in a sum of powers, and which amplitudes it may have beside the first, leading one. */
export interface PowerColumn {
  readonly kind: "term" | "correction" | "cross"
  /** Its value at each width for amplitude 1, the narrowest width first, all > 0. */
  readonly values: Float64Array
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
export function leastSquares(columns: readonly PowerColumn[], target: Float64Array, share: number | null): Amplitudes {
  const { units, gradient, rest, left, rays } = roomOf(columns.length, target.length)
  const norms = columns.map(({ values }) => Math.sqrt(dot(values, values)))
  for (let k = 0; k < columns.length; k++) {
    const [unit, { values }, norm] = [units[k]!, columns[k]!, norms[k]!]
    for (let i = 0; i < unit.length; i++) unit[i] = values[i]! / norm
  }
  const cone = share === null ? freeCone : boundedCone(columns, norms, share)
  const scale = Math.sqrt(dot(target, target))
  rays.begin(target)
  rest.set(target)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    for (let k = 0; k < units.length; k++) gradient[k] = dot(units[k]!, rest)
    const added = rays.spare()
    cone(gradient, added.direction)
    combine(units, added)
    const size = Math.sqrt(dot(added.values, added.values))
    // Half of what other amplitudes could still gain, where the best ray is about as long as this one (the duality gap
    // of Frank and Wolfe).
    const gap = (scale * dot(added.values, rest)) / size
    if (!(gap > Math.max(EXACT * scale ** 2, PRECISION * dot(rest, rest)))) break
    // A ray that depends on the others to rounding improves nothing any more.
    if (!rays.add(added)) break
    rays.remainder(left)
    if (!(dot(left, left) < dot(rest, rest))) break
    rays.keep()
    rest.set(left)
  }
  return { amplitudes: norms.map((norm, k) => rays.along(k) / norm), residual: dot(rest, rest) }
}

/** To which part of itself the residual is found. */
const PRECISION = 1e-6
/** A residual as small as this beside the target is rounding. */
const EXACT = 1e-12
const MOST_ROUNDS = 1000

/** Writes the amplitudes of a cone's slice that a gradient prefers. */
type Cone = (gradient: Float64Array, direction: Float64Array) => void

/** The first amplitude ≥ 0, the others of either sign: one axis at a time. */
function freeCone(gradient: Float64Array, direction: Float64Array): void {
  let steepest = 0
  let most = Math.max(0, gradient[0]!)
  for (let k = 1; k < gradient.length; k++)
    if (Math.abs(gradient[k]!) > Math.abs(most)) [steepest, most] = [k, gradient[k]!]
  direction.fill(0)
  direction[steepest] = Math.sign(most)
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
  return (gradient, direction) => {
    direction[0] = 1
    let [steepest, gain] = [0, 0]
    for (let k = 1; k < columns.length; k++) {
      const { kind } = columns[k]!
      direction[k] = kind === "term" && gradient[k]! > 0 ? most[k]! : 0
      const own = kind === "correction" ? gradient[k]! * most[k]! : 0
      if (Math.abs(own) > Math.abs(gain)) {
        steepest = k
        gain = own
      }
    }
    if (steepest > 0) direction[steepest] = Math.sign(gain) * most[steepest]!
    if (cross < 0) return
    // g₁ a₁ + 2 |g| √a₁ is greatest where its slope vanishes, or at a₁'s bound.
    const top = Math.sqrt(most[1]!)
    const pull = coupling * Math.abs(gradient[cross]!)
    const root = gradient[1]! < 0 ? Math.min(top, pull / -gradient[1]!) : top
    direction[1] = root ** 2
    direction[cross] = Math.sign(gradient[cross]!) * 2 * coupling * root
  }
}

/** A ray of the cone: amplitudes, and their sum at each width. */
interface Ray {
  readonly direction: Float64Array
  readonly values: Float64Array
}

/** What modified Gram–Schmidt says of a ray beside those before it; the hot loop needs it faster than an SVD. */
interface Row {
  /** What the ray adds to those before it, of length 1. */
  readonly unit: Float64Array
  /** The ray's parts along the units up to its own. */
  readonly parts: Float64Array
  /** The target's part along the unit. */
  reach: number
  /** What the rays up to this one leave of the target. */
  readonly rest: Float64Array
}

/** Non-negative least squares over rays that come one at a time, in memory that is taken once. */
class Rays {
  private readonly all: readonly Ray[]
  private readonly rows: readonly Row[]
  private target: Float64Array = new Float64Array()
  /** The rays and weights that were kept last, and those that an added ray makes of them. */
  private kept: Ray[] = []
  private active: Ray[] = []
  private keptWeights: Float64Array
  private weights: Float64Array
  private readonly solution: Float64Array

  /** @param columns how many amplitudes a direction has. */
  constructor(columns: number, points: number) {
    // As many rays as points are independent; one is added to them, and rounding may tell one more apart.
    const most = points + 3
    this.all = Array.from({ length: most }, () => ({
      direction: new Float64Array(columns),
      values: new Float64Array(points),
    }))
    this.rows = Array.from({ length: most }, () => ({
      unit: new Float64Array(points),
      parts: new Float64Array(most),
      reach: 0,
      rest: new Float64Array(points),
    }))
    this.keptWeights = new Float64Array(most)
    this.weights = new Float64Array(most)
    this.solution = new Float64Array(most)
  }

  /** Forgets all rays. */
  begin(target: Float64Array): void {
    this.target = target
    this.kept.length = 0
  }

  /** A ray that is not in use, to be written and added. */
  spare(): Ray {
    return this.all.find((ray) => !this.kept.includes(ray))!
  }

  /**
   * Solves anew beside one more ray, starting from the weights that were kept.
   *
   * @returns false if the rays are dependent.
   */
  add(added: Ray): boolean {
    const { kept, active, keptWeights, weights, solution } = this
    active.length = 0
    for (let k = 0; k < kept.length; k++) {
      active.push(kept[k]!)
      weights[k] = keptWeights[k]!
    }
    active.push(added)
    weights[kept.length] = 0
    if (!this.writeRow(kept.length)) return false
    for (;;) {
      this.solve()
      // As far towards the solution as all weights stay ≥ 0: those that vanish there leave.
      let part = 1
      for (let k = 0; k < active.length; k++)
        if (solution[k]! <= 0) part = Math.min(part, weights[k]! / (weights[k]! - solution[k]!))
      let moved = 0
      for (let k = 0; k < active.length; k++) {
        const weight = weights[k]!
        if (solution[k]! <= 0 && weight / (weight - solution[k]!) <= part) continue
        active[moved] = active[k]!
        // The row stays where all before it did.
        if (moved < k && !this.writeRow(moved)) return false
        weights[moved++] = weight + part * (solution[k]! - weight)
      }
      if (moved === active.length) return true
      active.length = moved
    }
  }

  /** Keeps what the ray that was added last made. */
  keep(): void {
    ;[this.kept, this.active] = [this.active, this.kept]
    ;[this.keptWeights, this.weights] = [this.weights, this.keptWeights]
  }

  /** Writes what the rays with the ray that was added last leave of the target. */
  remainder(rest: Float64Array): void {
    const { active, weights } = this
    rest.set(this.target)
    for (let k = 0; k < active.length; k++) {
      const { values } = active[k]!
      for (let i = 0; i < rest.length; i++) rest[i]! -= weights[k]! * values[i]!
    }
  }

  /** The amplitude of a column in the rays that were kept. */
  along(column: number): number {
    return this.kept.reduce((sum, { direction }, k) => sum + this.keptWeights[k]! * direction[column]!, 0)
  }

  /** Writes the row of the ray at a place behind those before it; false if it depends on them. */
  private writeRow(place: number): boolean {
    const { rows, active } = this
    const { values } = active[place]!
    const row = rows[place]!
    const { unit, parts, rest } = row
    for (let i = 0; i < unit.length; i++) unit[i] = values[i]!
    const square = dot(unit, unit)
    for (let k = 0; k < place; k++) parts[k] = subtractAlong(unit, rows[k]!.unit)
    const left = dot(unit, unit)
    if (!(left > DEPENDENT * square)) return false
    const norm = Math.sqrt(left)
    parts[place] = norm
    for (let i = 0; i < unit.length; i++) unit[i]! /= norm
    const before = place === 0 ? this.target : rows[place - 1]!.rest
    for (let i = 0; i < rest.length; i++) rest[i] = before[i]!
    row.reach = subtractAlong(rest, unit)
    return true
  }

  /** Writes the weights of least squares, from the last ray's to the first's. */
  private solve(): void {
    const { rows, active, solution } = this
    for (let k = active.length - 1; k >= 0; k--) {
      let weight = rows[k]!.reach
      for (let later = k + 1; later < active.length; later++) weight -= rows[later]!.parts[k]! * solution[later]!
      solution[k] = weight / rows[k]!.parts[k]!
    }
  }
}

/** Columns whose square falls to this part of itself beside the others count as dependent on them. */
const DEPENDENT = 1e-14

/** Writes a ray's values: the vectors' sum with its amplitudes. */
function combine(vectors: readonly Float64Array[], { direction, values }: Ray): void {
  values.fill(0)
  for (let k = 0; k < vectors.length; k++) {
    const [vector, amplitude] = [vectors[k]!, direction[k]!]
    if (amplitude !== 0) for (let i = 0; i < values.length; i++) values[i]! += amplitude * vector[i]!
  }
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
  return sum
}

/** Takes from a vector its part along a unit vector, and returns that part. */
function subtractAlong(vector: Float64Array, unit: Float64Array): number {
  const part = dot(vector, unit)
  for (let i = 0; i < vector.length; i++) vector[i]! -= part * unit[i]!
  return part
}

/** Memory of problems of one size. */
interface Room {
  readonly units: readonly Float64Array[]
  readonly gradient: Float64Array
  readonly rest: Float64Array
  readonly left: Float64Array
  readonly rays: Rays
}

const rooms = new Map<string, Room>()

/** The memory of a problem, of which one is solved at a time: thousands of a size follow each other. */
function roomOf(columns: number, points: number): Room {
  const key = `${columns} ${points}`
  const known = rooms.get(key)
  if (known !== undefined) return known
  const vector = () => new Float64Array(points)
  const units = Array.from({ length: columns }, vector)
  const gradient = new Float64Array(columns)
  const made = { units, gradient, rest: vector(), left: vector(), rays: new Rays(columns, points) }
  rooms.set(key, made)
  return made
}
