import { powerLabel } from "../../src/report/figures/axes.js"
import type { CoordinatePoint } from "../../src/report/figures/coordinates.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import { type Budget, checkBudget } from "./budget.js"
import { judgeMeasurements, type MeasuredClaim, withAlignments } from "./claim.js"
import { measure } from "./measure.js"
import type { Setting } from "./setting.js"

/**
 * The coordinate check of schemes: every quantity and every alignment at each step, derived and measured, a verdict each
 * corrected for the number of all of them.
 */
export async function coordinateCheck(
  settings: readonly Setting[],
  given: Partial<Budget>,
  options: SweepOptions,
): Promise<MeasuredClaim[]> {
  const claims: MeasuredClaim[] = []
  for (const setting of settings) {
    const budget = checkBudget(setting, given)
    const measurements = await measure([setting], budget, options)
    claims.push(
      ...judgeMeasurements([setting], budget, measurements, {
        families: settings.length,
        quantitiesOf: withAlignments,
      }),
    )
  }
  return claims
}

/** The last step's sizes as points of a figure, with the derived power law through the widest width. */
export function coordinatePoints(claims: readonly MeasuredClaim[]): CoordinatePoint[] {
  const last = Math.max(...claims.map(({ step }) => step))
  return claims
    .filter(({ step, derived }) => step === last && derived.kind === "power")
    .flatMap(({ quantity, derived, widths, values }) => {
      const exponent = derived.kind === "power" ? derived.exponent.valueOf() : 0
      const [width, value] = [widths.at(-1)!, values.at(-1)!]
      return widths.map((n, i) => ({
        quantity,
        width: n,
        value: values[i]!,
        derived: value * (n / width) ** exponent,
        law: powerLabel("n", derived.kind === "power" ? derived.exponent.toFraction() : "0"),
      }))
    })
}
