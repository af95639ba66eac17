import { studentQuantile, studentWithin } from "./normal.js"
import { degreesOf, type Interval, logPoints, variancesOf, type WidthSample } from "./slope.js"

/** The leading exponent of a sum of powers whose other exponents are known. */
export interface LeadingFit {
  readonly exponent: number
  readonly interval: Interval
  /** Whether the terms add as they are (coherent) or as squares (quadrature), whichever fits better. */
  readonly model: "coherent" | "quadrature"
  /** χ² of the fit and its degrees of freedom. */
  readonly chiSquare: number
  readonly degrees: number
}

/** What is derived beside the leading term. */
export interface Company {
  /** Exponents of the other terms, largest first. */
  readonly others: readonly number[]
  /** Gaps > 0 of corrections a n^(e − gap) of either sign, relative to the leading term. */
  readonly corrections: readonly number[]
  /** How the terms add; by default either as they are or as squares. */
  readonly coherence?: Coherence
}

/** What is known of how the terms add: as squares (they are independent), as they are, or either way. */
export type Coherence = "none" | "full" | "full or none"

/** How a model's terms add: as they are, or as squares with a cross term n^(e + e₁ − cross). */
interface Addition {
  readonly power: 1 | 2
  readonly cross: number | null
}

const COHERENT = { power: 1, cross: null } as const
const INDEPENDENT = { power: 2, cross: 1 / 2 } as const
const ADDITIONS: Readonly<Record<Coherence, readonly Addition[]>> = {
  none: [INDEPENDENT],
  full: [COHERENT],
  "full or none": [COHERENT, INDEPENDENT],
}

/** How far above the plain slope a leading exponent is looked for; below, the next term bounds it. */
const REACH = 1.5
const STEP = 0.02
/** At the widest width the leading term is at least this part of every other: a smaller one is not seen by such data. */
export const LEAST_SHARE = 1 / 4

/** How a leading exponent is fitted. */
export interface LeadingOptions {
  /** Of the interval; default 0.95. */
  readonly level?: number
  /** "free" lets go of every bound on the amplitudes but that the leading one is positive: intervals become longer. */
  readonly amplitudes?: "bounded" | "free"
}

/**
 * The leading exponent e of a quantity whose other terms' exponents eₖ are derived: RMS = a nᵉ + Σ aₖ n^eₖ where the
 * terms are coherent; where they are independent their squares add, RMS² = a² n²ᵉ + Σ aₖ² n^2eₖ + b n^(e + e₁ − 1/2):
 * a sum of n products of independent terms is n^(−1/2) of its largest value, so |b| ≤ 2 a a₁, and its sign is free.
 *
 * For a given e both models are linear in their amplitudes, so χ²(e) is the least over models and amplitudes, and the
 * interval spans all e where it exceeds its minimum by less than the quantile (profile likelihood). A bootstrap is not used:
 * amplitudes at their bound 0 break it. The leading exponent is at least the next one, others[0]; where the data do not
 * exclude that the two are equal, it is the interval's lower end.
 *
 * With `coherence: "none"` only the second model is fitted, with "full" only the first. Terms may also be partly coherent: with
 * "full or none" both models bracket such data. Bounds on amplitudes make the interval shorter, and cover more often than
 * the level says (`verify interval-coverage`).
 *
 * Assumed throughout: at the widest width the leading term is at least {@link LEAST_SHARE} of every other.
 *
 * A correction of relative size n^(−gap) is fitted with either sign, and may not exceed the leading term at any width.
 *
 * @param company the derived other terms and corrections.
 * @throws InputError as `logPoints`.
 */
export function leadingExponent(
  samples: readonly WidthSample[],
  { others, corrections, coherence = "full or none" }: Company,
  { level = 0.95, amplitudes = "bounded" }: LeadingOptions = {},
): LeadingFit {
  const points = logPoints(samples)
  const weights = variancesOf(points, degreesOf(samples)).map((variance) => 1 / variance)
  const logWidths = points.map(({ logWidth }) => logWidth)
  const centre = logWidths.reduce((x, y) => x + y) / logWidths.length
  const additions = ADDITIONS[coherence]
  // Relative residuals: dividing each row by the value makes weights those of the logarithm.
  const chiSquare = (e: number, { power, cross }: Addition): number => {
    const columns: Column[] = [
      { power: power * e, kind: "term" },
      ...others.map((x): Column => ({ power: power * x, kind: "term" })),
      ...corrections.map((gap): Column => ({ power: power * e - gap, kind: "correction" })),
    ]
    if (cross !== null && others[0] !== undefined) columns.push({ power: e + others[0] - cross, kind: "cross" })
    const rows = points.map(({ logWidth, logValue }, i) => {
      const scale = Math.sqrt(weights[i]!) / power
      return columns.map((c) => scale * Math.exp(c.power * (logWidth - centre) - power * logValue))
    })
    const target = points.map((_, i) => Math.sqrt(weights[i]!) / power)
    return constrainedResidual(
      rows,
      target,
      columns.map(({ kind }) => kind),
      amplitudes === "free" ? null : LEAST_SHARE ** power,
    )
  }
  const best = (e: number) => Math.min(...additions.map((addition) => chiSquare(e, addition)))
  const rough = (points.at(-1)!.logValue - points[0]!.logValue) / (logWidths.at(-1)! - logWidths[0]!)
  const floor = others[0] ?? rough - REACH
  const count = Math.ceil((Math.max(rough, floor) + REACH - floor) / STEP) + 1
  const grid = Array.from({ length: count }, (_, i) => floor + i * STEP)
  const values = grid.map(best)
  const least = values.indexOf(Math.min(...values))
  // Each model by itself, since the lesser of several has several minima.
  const around = [grid[Math.max(0, least - 1)]!, grid[Math.min(grid.length - 1, least + 1)]!] as const
  const minima = additions.map((addition) => minimise((e) => chiSquare(e, addition), ...around))
  const exponent = [grid[least]!, ...minima].reduce((x, y) => (best(y) < best(x) ? y : x))
  const minimum = best(exponent)
  const degrees = Math.max(1, points.length - 2)
  const addition = additions.find((each) => chiSquare(exponent, each) <= minimum)!
  const model = addition === COHERENT ? "coherent" : "quadrature"
  const confounded =
    addition === INDEPENDENT && others.length > 0 && Math.abs(exponent - INDEPENDENT.cross - floor) < CONFOUNDED
  const threshold = minimum + statistic(level, degreesOf(samples), confounded)
  // The minimum may be sharper than the grid, so its own neighbourhood always counts as inside.
  const inside = (i: number) => i === least || values[i]! <= threshold
  const first = values.findIndex((_, i) => inside(i))
  const last = values.findLastIndex((_, i) => inside(i))
  const low =
    first <= 0 ? floor : crossing(best, threshold, first === least ? exponent : grid[first]!, grid[first - 1]!)
  const high =
    last === grid.length - 1
      ? Number.POSITIVE_INFINITY
      : crossing(best, threshold, last === least ? exponent : grid[last]!, grid[last + 1]!)
  return { exponent, interval: { low, high, level }, model, chiSquare: minimum, degrees }
}

/** The cross term n^(e + e₁ − 1/2) is taken for the next term's square n^2e₁ where e₁ + 1/2 lies this close to e. */
const CONFOUNDED = 1 / 8

/**
 * The quantile of χ²(e) − min χ² with estimated errors: Student's t².
 *
 * Where a nuisance term drops out at the true exponent and nowhere else, a second direction is fitted beside e, in about half
 * of the cases, as the term's amplitude is bounded: an equal mixture of one and two degrees (Self and Liang 1987), the second
 * being twice Fisher's F, whose tail is (1 + x/ν)^(−ν/2).
 */
function statistic(level: number, degrees: number, confounded: boolean): number {
  const one = studentQuantile(level, degrees) ** 2
  if (!confounded) return one
  const two = degrees * ((1 - level) ** (-2 / degrees) - 1)
  const tail = (x: number) => (1 - studentWithin(Math.sqrt(x), degrees) + (1 + x / degrees) ** (-degrees / 2)) / 2
  return crossing((x) => -tail(x), level - 1, one, two)
}

/** One power of the width in a model, and which amplitudes it may have. */
interface Column {
  readonly power: number
  readonly kind: "term" | "correction" | "cross"
}

/**
 * The least squared residual over admissible amplitudes, by trying every set of active columns: the first amplitude is
 * > 0, a term's is ≥ 0 and not above the leading one by more than 1 / share at the widest width (the last row), a cross term's is bounded by its two terms (the first two columns), a correction at the narrowest
 * width (the first row) by the leading term, at which bound it is tried too. A null share frees all but the first.
 */
function constrainedResidual(
  rows: readonly (readonly number[])[],
  target: readonly number[],
  kinds: readonly Column["kind"][],
  share: number | null,
): number {
  const correction = kinds.indexOf("correction")
  const free = leastResidual(rows, target, kinds, share)
  if (correction < 0 || share === null) return free
  const bound = rows[0]![0]! / rows[0]![correction]!
  const pinned = [-bound, bound].map((factor) =>
    leastResidual(
      rows.map((row) => [row[0]! + factor * row[correction]!, ...row.slice(1).filter((_, k) => k + 1 !== correction)]),
      target,
      kinds.filter((_, k) => k !== correction),
      share,
    ),
  )
  return Math.min(free, ...pinned)
}

function leastResidual(
  rows: readonly (readonly number[])[],
  target: readonly number[],
  kinds: readonly Column["kind"][],
  share: number | null,
): number {
  const [narrowest, widest] = [rows[0]!, rows.at(-1)!]
  let least = Number.POSITIVE_INFINITY
  for (let set = 1; set < 2 ** kinds.length; set += 2) {
    const active = kinds.map((_, k) => k).filter((k) => (set >> k) & 1)
    // As many amplitudes as widths would fit anything.
    if (active.length >= rows.length) continue
    const found = leastSquares(
      rows.map((row) => active.map((k) => row[k]!)),
      target,
    )
    if (found === null) continue
    const amplitudes = kinds.map((_, k) => found[active.indexOf(k)] ?? 0)
    const [first, second] = amplitudes
    const admissible = (a: number, k: number) => {
      if (share === null) return k > 0 || a > 0
      if (kinds[k] === "term") return a >= 0 && first! * widest[0]! >= share * a * widest[k]!
      if (kinds[k] === "cross") return Math.abs(a) <= 2 * Math.sqrt(Math.max(0, first! * second!))
      return Math.abs(a) * narrowest[k]! <= first! * narrowest[0]!
    }
    if (!amplitudes.every(admissible)) continue
    const residuals = rows.map((row, i) => row.reduce((rest, x, k) => rest - x * amplitudes[k]!, target[i]!))
    least = Math.min(
      least,
      residuals.reduce((sum, residual) => sum + residual ** 2, 0),
    )
  }
  return least
}

/** Amplitudes of least squares by modified Gram–Schmidt, which the hot loop needs faster than an SVD; null if columns are dependent. */
function leastSquares(rows: readonly (readonly number[])[], target: readonly number[]): number[] | null {
  const count = rows[0]!.length
  const columns = Array.from({ length: count }, (_, k) => rows.map((row) => row[k]!))
  const rest = [...target]
  const upper: number[][] = []
  const right: number[] = []
  for (let k = 0; k < count; k++) {
    const column = columns[k]!
    const before = dot(column, column)
    upper.push(columns.slice(0, k).map((unit) => subtractAlong(column, unit)))
    const after = dot(column, column)
    if (!(after > DEPENDENT * before)) return null
    const norm = Math.sqrt(after)
    for (let i = 0; i < column.length; i++) column[i]! /= norm
    upper[k]!.push(norm)
    right.push(subtractAlong(rest, column))
  }
  for (let k = count - 1; k >= 0; k--) {
    for (let later = k + 1; later < count; later++) right[k]! -= upper[later]![k]! * right[later]!
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

function minimise(f: (x: number) => number, low: number, high: number): number {
  const golden = (Math.sqrt(5) - 1) / 2
  let [a, b] = [low, high]
  for (let i = 0; i < 30; i++) {
    const [x, y] = [b - golden * (b - a), a + golden * (b - a)]
    if (f(x) < f(y)) b = y
    else a = x
  }
  return (a + b) / 2
}

function crossing(f: (x: number) => number, threshold: number, inside: number, outside: number): number {
  let [a, b] = [inside, outside]
  for (let i = 0; i < 20; i++) {
    const middle = (a + b) / 2
    if (f(middle) <= threshold) a = middle
    else b = middle
  }
  return (a + b) / 2
}
