import type { Answer, Finding } from "./finding.js"
import { besideBase } from "./findings/besideBase.js"
import { frozen } from "./findings/frozen.js"
import { moved } from "./findings/moved.js"
import { neverTrained } from "./findings/neverTrained.js"
import { oddModules } from "./findings/oddModules.js"
import { rankSaturated } from "./findings/rankSaturated.js"
import { rankUnused } from "./findings/rankUnused.js"
import { scaling } from "./findings/scaling.js"
import { start } from "./findings/start.js"
import { undertrained } from "./findings/undertrained.js"
import { unstable } from "./findings/unstable.js"
import { wrongKeys } from "./findings/wrongKeys.js"
import type { MeasuredRun } from "./measureRun.js"

/** Every question, in the order in which they are told. A new one is a file of `findings/` and a line here. */
export const FINDINGS: readonly Finding[] = [
  start,
  neverTrained,
  undertrained,
  frozen,
  unstable,
  rankUnused,
  rankSaturated,
  scaling,
  wrongKeys,
  oddModules,
  besideBase,
  moved,
]

/** Asks a run every question. */
export function examine(measured: MeasuredRun): { finding: Finding; answer: Answer }[] {
  return FINDINGS.map((finding) => ({ finding, answer: finding.examine(measured) }))
}
