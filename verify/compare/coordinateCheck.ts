import { powerLabel } from "../../src/report/figures/axes.js"
import type { CoordinatePoint } from "../../src/report/figures/coordinates.js"
import type { SweepOptions } from "../../src/sweep/sweep.js"
import { type Budget, checkBudget, growsRank, isDeep } from "./budget.js"
import { judgeMeasurements, type MeasuredClaim, withAlignments } from "./claim.js"
import { deriveMeanwhile } from "./derivedSetting.js"
import { measure } from "./measure.js"
import { rechecked, widened } from "./recheck.js"
import type { Setting } from "./setting.js"

/**
 * The coordinate check of schemes: every quantity and every alignment at each step, derived and measured, a verdict
 * each corrected for the number of all of them; contradictions are measured again at wider widths (`rechecked`), so that
 * one that finite widths cause is told as such.
 */
export async function coordinateCheck(
  settings: readonly Setting[],
  given: Partial<Budget>,
  options: SweepOptions,
): Promise<MeasuredClaim[]> {
  const claims: MeasuredClaim[] = []
  for (const setting of settings) {
    const budget = checkBudget(setting, given, settings.length > 1)
    const judged = { families: settings.length, quantitiesOf: withAlignments }
    const [measurements] = await Promise.all([
      measure([setting], budget, options),
      deriveMeanwhile([setting], budget.steps),
    ])
    const own = judgeMeasurements([setting], budget, measurements, judged)
    claims.push(...(await rechecked(setting, own, budget, windows(setting, budget), options, judged)))
  }
  return claims
}

/** Where contradictions are looked at again; a rank that grows is an integer at few widths, and is not. */
function windows(setting: Setting, budget: Budget): readonly (readonly number[])[] {
  if (isDeep(setting)) return widened(budget.widths, WIDEST_OF_DEEP)
  return growsRank(setting) ? [] : widened(budget.widths)
}

/** Beyond this no kernel has room for a block, and a run of one takes half a minute. */
const WIDEST_OF_DEEP = 2 ** 16

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
