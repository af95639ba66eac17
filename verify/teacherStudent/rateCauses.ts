/** Why a rate may not follow its derived power at the widths that were run, each cause with its measurement. */
import { powerLabel } from "../../src/report/figures/axes.js"
import { groupsOf } from "../../src/table/groups.js"
import { boundOfRate, boundsOfRate } from "./boundOfRate.js"
import type { RateLaw, TeacherStudentConstants, TeacherStudentRun } from "./teacherStudent.js"

/** An output that has moved by this many times the targets' size has passed them. */
const PASSED = 2

/**
 * The assumption that fails where the output's bound is the lower one: at rates that the features would bear the output
 * has long passed its targets, the residual's sign turns, and steps undo each other. Null where the runs do not show
 * it.
 */
export function overshoot(
  law: RateLaw,
  runs: readonly TeacherStudentRun[],
  { featureLimit, widths }: TeacherStudentConstants,
): string | null {
  const { scheme, readout, level } = law
  const [features, output] = [boundOfRate({ ...law, level: "features" }), boundOfRate({ ...law, level: "output" })]
  if (level !== "features" || output.compare(features) >= 0) return null
  const width = Math.max(...widths)
  const bounded = runs.filter(
    ({ scheme: name, config: one, result: { outcome, largest } }) =>
      name === scheme &&
      one.readout === readout &&
      one.width === width &&
      outcome.kind === "finished" &&
      largest.zB <= featureLimit,
  )
  const highest = [...groupsOf(bounded, ({ config: { seed } }) => String(seed)).values()].map((group) =>
    group.reduce((x, y) => (y.config.rates.A > x.config.rates.A ? y : x)),
  )
  const moved = Math.min(...highest.map(({ result }) => result.largest.outputChange))
  return moved > PASSED
    ? `the output's bound ${powerLabel("n", output.toFraction())} is the lower one: at the largest rates with bounded features and n = ${width} the output moves by ${moved.toFixed(1)} and more, ${PASSED} and more times the targets' size, so the residual's sign turns and steps undo each other, which the derivation assumes they do not; at a readout exponent where both bounds are one power, and under a linear loss, this does not happen`
    : null
}

/**
 * The crossover of two powers: the bound n^b is that of the change that one factor makes beside the other's start, ∝ η
 * n^(−b); of what both have learnt, ∝ η² t n^(−2b′), it is n^b′. Where the second change is the larger one at the rates
 * that were found, the slope is not yet b: it lies between b and b′, up to the interval.
 */
export function crossover(law: RateLaw, { steps }: Pick<TeacherStudentConstants, "steps">): string | null {
  const [bound, next] = boundsOfRate(law).map(Number)
  const { slope, widths } = law.fit
  if (bound === undefined || next === undefined || next <= bound || slope === null) return null
  const isBetween = slope.interval.low > bound && slope.interval.low < next
  // At rates ∝ n^b the second change falls, beside the first, with this exponent.
  const decay = 2 * (bound - next)
  const overFirst = widths.map(({ width, rate }) => rate * steps * width ** (bound - 2 * next))
  const [first, last] = [overFirst[0]!, overFirst.at(-1)!]
  if (!isBetween || Math.min(first, last) < 1) return null
  const alone = widths.at(-1)!.width * last ** (-1 / decay)
  const [own, other] = boundsOfRate(law).map((exponent) => powerLabel("n", exponent.toFraction()))
  return `a crossover: ${own} is the bound of what one factor learns beside the other's start, ${other} that of what both learn; after ${steps} steps at the rates found here the second, over the first, is about ${first.toFixed(0)} at n = ${widths[0]!.width} and ${last.toFixed(0)} at n = ${widths.at(-1)!.width} (η t n^(${bound - 2 * next})), so the slope lies between the two powers; ${own} alone would be seen from about n = ${alone.toExponential(0)} on`
}
