/** What three losses about a minimum leave open: how skewed the curve is. */
import type { CensoredFit } from "./censored.js"
import type { CurvePoint } from "./polynomial.js"
import { type Minimum, minimumOf } from "./sharedShape.js"

/** One side may rise twice as much as the other, by (1 + 1/3) and (1 − 1/3), over half of the points' reach. */
const ASYMMETRY = 1 / 3

/** A minimum of a curve without skew, and of curves skewed to one side and to the other. */
export type MinimaBySkew = readonly [Minimum, Minimum, Minimum]

/** The minima of curves through the least loss and its neighbours; null where it has none on one side. */
export function minimaBySkew(points: readonly CurvePoint[]): MinimaBySkew | null {
  const best = points.reduce((least, { value }, i) => (value < points[least]!.value ? i : least), 0)
  if (best === 0 || best >= points.length - 1) return null
  const near = points.slice(best - 1, best + 2)
  const skew = (2 * ASYMMETRY) / (near[2]!.x - near[0]!.x)
  const [none, left, right] = [0, -skew, skew].map((s) => minimumOf(near, s))
  return none ? [none, left ?? none, right ?? none] : null
}

/** A slope whose interval reaches over those of other readings of the same curves. */
export function overReadings(plain: CensoredFit | null, others: readonly (CensoredFit | null)[]): CensoredFit | null {
  if (plain === null) return null
  const intervals = [plain, ...others].map((fit) => fit?.interval ?? UNBOUNDED)
  const low = Math.min(...intervals.map((interval) => interval.low))
  const high = Math.max(...intervals.map((interval) => interval.high))
  const identified = plain.identified && Number.isFinite(low) && Number.isFinite(high)
  return { ...plain, interval: { ...plain.interval, low, high }, identified }
}
const UNBOUNDED = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
