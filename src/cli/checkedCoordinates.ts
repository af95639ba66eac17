/** What `check` needs once its threads start. */
import { checkBudget } from "../../verify/compare/budget.js"
import { taskCount } from "../../verify/compare/measure.js"
import type { Setting } from "../../verify/compare/setting.js"

export { isRefuted } from "../../verify/compare/claim.js"
export { claimsJson } from "../../verify/compare/claimTable.js"
export { coordinateCheck, coordinatePoints } from "../../verify/compare/coordinateCheck.js"
export { coordinateFigure } from "../report/figures/coordinates.js"
export { checkedSettings } from "./checkedSettings.js"
export { readableClaims } from "./readableClaims.js"
export { outputOptions, print } from "./terminal.js"

/** How many tasks the checks of the settings come to. @throws InputError as `checkBudget`. */
export function checkTasks(settings: readonly Setting[], given: { readonly seeds?: number }): number {
  return settings.reduce((sum, setting) => {
    return sum + taskCount([setting], checkBudget(setting, given, settings.length > 1))
  }, 0)
}
