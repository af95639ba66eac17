import { Matrix, solve } from "ml-matrix"
import { twoSidedQuantile } from "./normal.js"
import { type Interval, logPoints, type WidthSample, weightsOf } from "./slope.js"

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

/** How far above the plain slope a leading exponent is looked for; below, the next term bounds it. */
const REACH = 1.5
const STEP = 0.02

/**
 * The leading exponent e of a quantity whose other terms' exponents eₖ are derived: RMS = a nᵉ + Σ aₖ n^eₖ where the
 * terms are coherent; where they are independent their squares add, RMS² = a² n²ᵉ + Σ aₖ² n^2eₖ + b n^(e + e₁ − 1/2):
 * a sum of n products of independent terms is n^(−1/2) of its largest value, so |b| ≤ 2 a a₁, and its sign is free.
 *
 * For a given e both models are linear in their amplitudes, so χ²(e) is the least over models and amplitudes, and the
 * interval is where it exceeds its minimum by less than the quantile (profile likelihood). A bootstrap is not used:
 * amplitudes at their bound 0 break it. The leading exponent is at least the next one, others[0]; where the data do not
 * exclude that the two are equal, it is the interval's lower end.
 *
 * @param others the other terms' exponents, largest first; one at least.
 * @throws InputError as `logPoints`.
 */
export function leadingExponent(
  samples: readonly WidthSample[],
  others: readonly number[],
  { level = 0.95 }: { level?: number } = {},
): LeadingFit {
  const points = logPoints(samples)
  const weights = weightsOf(points)
  const logWidths = points.map(({ logWidth }) => logWidth)
  const centre = logWidths.reduce((x, y) => x + y) / logWidths.length
  // Relative residuals: dividing each row by the value makes weights those of the logarithm.
  const chiSquare = (e: number, power: 1 | 2): number => {
    const powers = [e, ...others].map((x) => power * x)
    if (power === 2) powers.push(e + others[0]! - 1 / 2)
    const rows = points.map(({ logWidth, logValue }, i) => {
      const scale = Math.sqrt(weights[i]!) / power
      return powers.map((x) => scale * Math.exp(x * (logWidth - centre) - power * logValue))
    })
    const target = points.map((_, i) => Math.sqrt(weights[i]!) / power)
    return constrainedResidual(rows, target, power === 2)
  }
  const best = (e: number) => Math.min(chiSquare(e, 1), chiSquare(e, 2))
  const rough = (points.at(-1)!.logValue - points[0]!.logValue) / (logWidths.at(-1)! - logWidths[0]!)
  const floor = others[0]!
  const count = Math.ceil((Math.max(rough, floor) + REACH - floor) / STEP) + 1
  const grid = Array.from({ length: count }, (_, i) => floor + i * STEP)
  const values = grid.map(best)
  const least = values.indexOf(Math.min(...values))
  const exponent = minimise(best, grid[Math.max(0, least - 1)]!, grid[Math.min(grid.length - 1, least + 1)]!)
  const minimum = best(exponent)
  const degrees = Math.max(1, points.length - 2)
  const threshold = minimum + twoSidedQuantile(level) ** 2
  const outside = (i: number) => values[i]! > threshold
  const lowOutside = values.findLastIndex((_, i) => i < least && outside(i))
  const highOutside = values.findIndex((_, i) => i > least && outside(i))
  const low = lowOutside < 0 ? floor : crossing(best, threshold, exponent, grid[lowOutside]!)
  const high = highOutside < 0 ? Number.POSITIVE_INFINITY : crossing(best, threshold, exponent, grid[highOutside]!)
  const model = chiSquare(exponent, 1) <= chiSquare(exponent, 2) ? "coherent" : "quadrature"
  return { exponent, interval: { low, high, level }, model, chiSquare: minimum, degrees }
}

/**
 * The least squared residual over admissible amplitudes, by trying every set of active columns: the first amplitude is
 * > 0, all are ≥ 0 but that of a cross term (the last column), which its two terms bound.
 */
function constrainedResidual(rows: readonly (readonly number[])[], target: readonly number[], cross: boolean): number {
  const count = rows[0]!.length
  let least = Number.POSITIVE_INFINITY
  for (let set = 1; set < 2 ** count; set += 2) {
    const active = Array.from({ length: count }, (_, k) => k).filter((k) => (set >> k) & 1)
    const found = leastSquares(
      rows.map((row) => active.map((k) => row[k]!)),
      target,
    )
    if (found === null) continue
    const amplitudes = Array.from({ length: count }, (_, k) => found[active.indexOf(k)] ?? 0)
    const bound = cross ? 2 * Math.sqrt(Math.max(0, amplitudes[0]! * amplitudes[1]!)) : 0
    if (!amplitudes.every((a, k) => (cross && k === count - 1 ? Math.abs(a) <= bound : a >= 0))) continue
    const residuals = rows.map((row, i) => row.reduce((rest, x, k) => rest - x * amplitudes[k]!, target[i]!))
    least = Math.min(
      least,
      residuals.reduce((sum, residual) => sum + residual ** 2, 0),
    )
  }
  return least
}

/** Amplitudes of one or two columns in closed form (the hot case), more by ml-matrix's SVD; null if two are parallel. */
function leastSquares(rows: readonly (readonly number[])[], target: readonly number[]): number[] | null {
  const columns = rows[0]!.length
  if (columns > 2) {
    const answer = solve(new Matrix(rows.map((row) => [...row])), Matrix.columnVector([...target]), true).to1DArray()
    return answer.every(Number.isFinite) ? answer : null
  }
  let [xx, xy, yy, xt, yt] = [0, 0, 0, 0, 0]
  rows.forEach((row, i) => {
    const [x, y, t] = [row[0]!, row[1] ?? 0, target[i]!]
    xx += x * x
    xy += x * y
    yy += y * y
    xt += x * t
    yt += y * t
  })
  if (columns === 1) return [xt / xx]
  const determinant = xx * yy - xy * xy
  if (determinant <= 1e-12 * xx * yy) return null
  return [(xt * yy - yt * xy) / determinant, (yt * xx - xt * xy) / determinant]
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
