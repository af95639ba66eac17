import { type Finding, healthy, median, names, percent, shown, sick, unknown } from "../finding.js"
import type { MeasuredModule, MeasuredRun } from "../measureRun.js"

/** What one interval says of one factor. */
interface IntervalReading {
  readonly module: MeasuredModule
  readonly factor: "a" | "b"
  readonly unchanged: number
  /** Mean rate of a step over half an ulp of the median entry: an update below 1 is lost; null for unknown steps. */
  readonly update: number | null
  /** The sum of rates over an ulp: how far an entry could have come were nothing lost. */
  readonly reach: number
}

/**
 * Rates from the log; without one, the largest change of any entry is a lower bound of their sum under sign-like
 * updates.
 */
function readings(measured: MeasuredRun): IntervalReading[] {
  const { modules, spans } = measured
  return spans.flatMap(({ steps, rateSum: logged }, i) => {
    const moved = Math.max(...modules.flatMap(({ intervals }) => [intervals[i]!.a.largest, intervals[i]!.b.largest]))
    const sum = logged ?? moved
    if (!(sum > 0) || !Number.isFinite(sum)) return []
    const count = steps === null ? null : steps[1] - steps[0]
    return modules.flatMap((module) =>
      (["a", "b"] as const).flatMap((factor): IntervalReading[] => {
        const { halfUlp, unchanged } = module.intervals[i]![factor]
        const middle = halfUlp?.[1] ?? 0
        return middle === 0
          ? []
          : [
              {
                module,
                factor,
                unchanged,
                update: count === null ? null : sum / count / middle,
                reach: sum / (2 * middle),
              },
            ]
      }),
    )
  })
}

export const frozen: Finding = {
  id: "frozen-by-precision",
  title: "Frozen by precision",
  measures:
    "per factor and interval: the share of entries that are the same to the bit, one step's update (the rate, for sign-like updates) against half an ulp of the median entry as stored, and the sum of rates against an ulp",
  threshold: {
    source: "number format",
    text: "an update below half an ulp is lost; an entry that could have come two ulps far and did not move lost all of them; said where that holds for the median entry and more than half of the entries stand still",
  },
  why: "In bfloat16 a number has 8 bits of significand: a typical entry of A at n = 4096 is 0.009, half an ulp of it 3e-5; smaller steps leave it as it was.",
  settle: "the optimiser's own copy of the weights in float32, or a few steps with float32 adapters",
  examine: (measured) => {
    if (measured.run.checkpoints.length < 2) return unknown("it takes two checkpoints to see what stood still.")
    const all = readings(measured)
    if (all.length === 0) return unknown("neither a log nor a change tells how large the updates were.")
    const lost = all.filter(
      ({ update, reach, unchanged }) => update !== null && update < 1 && reach >= 2 && unchanged > 1 / 2,
    )
    const still = Math.max(...all.map(({ unchanged }) => unchanged))
    if (lost.length > 0) {
      const factors = [...new Set(lost.map(({ factor }) => factor.toUpperCase()))].join(" and ")
      const modules = [...new Set(lost.map(({ module }) => module))]
      const update = median(lost.flatMap(({ update }) => update ?? []))
      return sick(
        `${factors}: one step's update is ${shown(update)} of half an ulp (${lost[0]!.module.types[lost[0]!.factor === "a" ? 0 : 1]}), and ${percent(median(lost.map(({ unchanged }) => unchanged)))} of the entries stood still where all could have moved, in ${modules.length} of ${measured.modules.length} modules.`,
        update,
        1,
        names(modules),
      )
    }
    const quiet = all.filter(({ unchanged, reach }) => unchanged > 1 / 2 && reach < 2)
    if (quiet.length > 0)
      return unknown(
        `${percent(still)} of the entries of a factor stood still, but all steps of that interval together come to less than two ulps as stored: rounding when the file was written would hide such moves too.`,
      )
    const updates = all.flatMap(({ update }) => update ?? [])
    if (all.some(({ update, unchanged }) => update === null && unchanged > 1 / 2))
      return unknown(
        `${percent(still)} of the entries of a factor stood still, and nothing says how many steps lie between the checkpoints.`,
      )
    const said = `At most ${percent(still)} of a factor's entries stood still in an interval`
    if (updates.length === 0) return healthy(`${said}.`)
    const least = Math.min(...updates)
    return healthy(`${said}; a step's update is ${shown(least)} of half an ulp or more.`, least, 1)
  },
}
