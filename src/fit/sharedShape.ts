/**
 * Minima of several curves of one shape: loss = a + c (u² + s u³) with u = x − t, where all share the skew s and have
 * a, c and t of their own.
 */
import type { CurvePoint } from "./polynomial.js"
import { minimum } from "./search.js"

/** Where a curve has its minimum. */
export interface Minimum {
  readonly x: number
  readonly least: number
  /** Times the standard deviation of a run's loss: the standard error of x at the shared skew. */
  readonly sensitivity: number
}

/** The minima of curves of one shape, and what they leave. */
export interface SharedShape {
  /** One a curve; null where it has none inside its points. */
  readonly minima: readonly (Minimum | null)[]
  /** The standard deviation of a run's loss about the curves; null where they have too few points to tell it. */
  readonly deviation: number | null
  /** Its degrees of freedom. */
  readonly degrees: number
}

/** Fewer degrees of freedom tell no skew: the shape is then a parabola. */
const LEAST_DEGREES = 4
/** The third power may not turn the curve down inside its points: |s| times the distance from t is at most this. */
const TURNING = 2 / 3
/** Skews and places are looked for on grids, then by golden section. */
const [SKEWS, PLACES, STEPS] = [16, 16, 32]

/**
 * The minima by least squares, weighted.
 *
 * A parabola for each curve would be off by as much as the curve is skewed, and by another amount wherever the points
 * lie otherwise about the minimum. A skew of its own for each costs half of what the points tell; one for all costs
 * next to nothing.
 *
 * @param curves points near each minimum, in the order of x, three or more with different x.
 */
export function sharedShape(curves: readonly (readonly CurvePoint[])[]): SharedShape {
  const windows = curves.map(windowOf)
  const spare = curves.reduce((sum, points) => sum + points.length - 3, 0)
  const isSkewed = spare > LEAST_DEGREES
  const left = (skew: number) => windows.reduce((sum, window) => sum + placeOf(window, skew).left, 0)
  const skew = isSkewed ? skewOf(left, TURNING / Math.min(...windows.map(({ half }) => half))) : 0
  const degrees = spare - (isSkewed ? 1 : 0)
  const deviation = degrees < LEAST_DEGREES ? null : Math.sqrt(left(skew) / degrees)
  return { minima: windows.map((window) => minimumAt(window, skew)), deviation, degrees: Math.max(0, degrees) }
}

function skewOf(left: (skew: number) => number, most: number): number {
  const at = (i: number) => most * Math.min(1, Math.max(-1, (2 * i) / SKEWS - 1))
  const best = lowest(SKEWS, (i) => left(at(i)))
  return minimum(left, at(best - 1), at(best + 1), STEPS)
}

/** A curve's points in units in which they span −1 to 1, as sums of powers: all that least squares needs. */
interface Window {
  readonly middle: number
  readonly half: number
  readonly base: number
  /** Σ weight · xᵏ, k = 0 … 6. */
  readonly powers: readonly number[]
  /** Σ weight · (value − base) · xᵏ, k = 0 … 3. */
  readonly products: readonly number[]
  readonly squares: number
}

function windowOf(points: readonly CurvePoint[]): Window {
  const [first, last] = [points[0]!.x, points.at(-1)!.x]
  const [middle, half] = [(first + last) / 2, (last - first) / 2]
  const total = points.reduce((sum, { weight }) => sum + weight, 0)
  const base = points.reduce((sum, { weight, value }) => sum + weight * value, 0) / total
  const powers = Array<number>(7).fill(0)
  const products = Array<number>(4).fill(0)
  let squares = 0
  for (const point of points) {
    const [x, value] = [(point.x - middle) / half, point.value - base]
    for (let k = 0, power = point.weight; k < 7; k++, power *= x) {
      powers[k]! += power
      if (k < 4) products[k]! += power * value
    }
    squares += point.weight * value ** 2
  }
  return { middle, half, base, powers, products, squares }
}

/** A polynomial in x, the constant first, as its coefficients. */
type Coefficients = readonly number[]

/** (x − t)² + s (x − t)³. */
const shape = (t: number, s: number): Coefficients => [t ** 2 - s * t ** 3, 3 * s * t ** 2 - 2 * t, 1 - 3 * s * t, s]

function inner({ powers }: Window, f: Coefficients, g: Coefficients): number {
  let sum = 0
  for (let i = 0; i < f.length; i++) for (let k = 0; k < g.length; k++) sum += f[i]! * g[k]! * powers[i + k]!
  return sum
}
const ONE: Coefficients = [1]

/**
 * The curvature of least squares for a minimum at t, and the sum of squares that it leaves; a curve that falls away
 * from t is none. Thousands of places and skews are tried for a curve: the sums of {@link inner} are written out.
 */
function fitAt({ powers, products, squares }: Window, t: number, s: number): { curvature: number; left: number } {
  const total = squares - products[0]! ** 2 / powers[0]!
  const none = { curvature: 0, left: total }
  if (s > 0 ? s * (t + 1) > TURNING : -s * (1 - t) > TURNING) return none
  // The shape's coefficients.
  const [f0, f1, f2] = [t * t - s * t * t * t, 3 * s * t * t - 2 * t, 1 - 3 * s * t]
  const mean = (f0 * powers[0]! + f1 * powers[1]! + f2 * powers[2]! + s * powers[3]!) / powers[0]!
  const product = (f0 - mean) * products[0]! + f1 * products[1]! + f2 * products[2]! + s * products[3]!
  if (!(product > 0)) return none
  const square =
    f0 * f0 * powers[0]! +
    2 * f0 * f1 * powers[1]! +
    (2 * f0 * f2 + f1 * f1) * powers[2]! +
    2 * (f0 * s + f1 * f2) * powers[3]! +
    (2 * f1 * s + f2 * f2) * powers[4]! +
    2 * f2 * s * powers[5]! +
    s * s * powers[6]!
  const spread = square - mean ** 2 * powers[0]!
  return { curvature: product / spread, left: Math.max(0, total - product ** 2 / spread) }
}

/** Where inside the points the minimum fits best, in the window's units. */
function placeOf(window: Window, skew: number): { t: number; left: number } {
  const s = skew * window.half
  const at = (i: number) => (2 * i) / PLACES - 1
  const left = (t: number) => fitAt(window, t, s).left
  const best = lowest(PLACES, (i) => left(at(i)))
  const t = minimum(left, Math.max(-1, at(best - 1)), Math.min(1, at(best + 1)), STEPS)
  return { t, left: left(t) }
}

/** The index from 0 to count at which a function is least. */
function lowest(count: number, f: (index: number) => number): number {
  let [best, least] = [0, f(0)]
  for (let i = 1; i <= count; i++) {
    const value = f(i)
    if (value < least) [best, least] = [i, value]
  }
  return best
}

/** A minimum this close to an end is none inside. */
const INSIDE = 1 - 1e-3

/** The minimum of a curve of a known skew; null where it has none inside its points. */
export function minimumOf(points: readonly CurvePoint[], skew: number): Minimum | null {
  return minimumAt(windowOf(points), skew)
}

function minimumAt(window: Window, skew: number): Minimum | null {
  const { middle, half, base, powers, products } = window
  const s = skew * half
  const { t } = placeOf(window, skew)
  const { curvature } = fitAt(window, t, s)
  if (curvature === 0 || Math.abs(t) > INSIDE) return null
  const f = shape(t, s)
  const least = base + (products[0]! - curvature * inner(window, f, ONE)) / powers[0]!
  // How the curve changes as t does, beside what a and c can take up of it.
  const moved: Coefficients = [2 * t - 3 * s * t ** 2, 6 * s * t - 2, -3 * s]
  const g = f.map((c, k) => c - (k === 0 ? inner(window, f, ONE) / powers[0]! : 0))
  const own =
    inner(window, moved, moved) -
    inner(window, moved, ONE) ** 2 / powers[0]! -
    inner(window, moved, g) ** 2 / inner(window, g, g)
  return { x: middle + half * t, least, sensitivity: half / (curvature * Math.sqrt(Math.max(own, 0))) }
}
