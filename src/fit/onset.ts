import { Matrix, solve } from "ml-matrix"
import { logPoints, type WidthSample } from "./slope.js"

/** The slope between two widths, with its standard error over seeds. */
export interface LocalSlope {
  /** The narrower of the two. */
  readonly width: number
  readonly slope: number
  readonly error: number
}

/** Where the asymptotics of a quantity begin. */
export interface Onset {
  /** Slopes between each width and the one so many places wider, the narrowest first. */
  readonly local: readonly LocalSlope[]
  /**
   * The narrowest width from which all of them lie within the tolerance, up to two standard errors; null if there is
   * none.
   */
  readonly from: number | null
  /**
   * How fast the deviation dies out: its exponent over the widths where it stands out of the noise; null if it does at
   * fewer than three.
   */
  readonly decay: number | null
  /** The width at which that law reaches the tolerance; null without a law that falls. */
  readonly expected: number | null
}

/** A deviation of so many standard errors stands out. */
const STANDS_OUT = 3

/**
 * The width from which local slopes lie near an exponent.
 *
 * @param reach how many places apart the two widths of a slope lie: a longer reach is less noisy.
 * @throws InputError as `logPoints`.
 */
export function onset(samples: readonly WidthSample[], exponent: number, tolerance: number, reach = 2): Onset {
  const points = logPoints(samples)
  const local = points.slice(reach).map((wide, i): LocalSlope => {
    const narrow = points[i]!
    const distance = wide.logWidth - narrow.logWidth
    return {
      width: Math.round(Math.exp(narrow.logWidth)),
      slope: (wide.logValue - narrow.logValue) / distance,
      error: Math.hypot(wide.error, narrow.error) / distance,
    }
  })
  const isOff = ({ slope, error }: LocalSlope) => Math.abs(slope - exponent) > tolerance + 2 * error
  const last = local.findLastIndex(isOff)
  const clear = local.filter(
    ({ slope, error }) => Math.abs(slope - exponent) > STANDS_OUT * error && slope !== exponent,
  )
  return { local, from: local[last + 1]?.width ?? null, ...law(clear, exponent, tolerance) }
}

/** The straight line through the logarithms of the deviations. */
function law(clear: readonly LocalSlope[], exponent: number, tolerance: number): Pick<Onset, "decay" | "expected"> {
  if (clear.length < 3) return { decay: null, expected: null }
  const design = new Matrix(clear.map(({ width }) => [1, Math.log(width)]))
  const target = Matrix.columnVector(clear.map(({ slope }) => Math.log(Math.abs(slope - exponent))))
  const line = solve(design, target)
  const [level, decay] = [line.get(0, 0), line.get(1, 0)]
  const expected = decay < 0 ? Math.exp((Math.log(tolerance) - level) / decay) : null
  return { decay, expected: expected === null ? null : Math.max(1, Math.ceil(expected)) }
}
