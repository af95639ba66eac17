import { studentQuantile } from "../../fit/normal.js"
import { groupsOf } from "../../table/groups.js"
import { type Finding, healthy, names, productNormOf, shown, sick, unknown } from "../finding.js"
import type { MeasuredModule } from "../measureRun.js"

/** One in a thousand runs without an odd module has one told. */
const LEVEL = 1e-3
const FEWEST = 6

/** The critical value of Grubbs' two-sided test for so many values. */
function grubbs(count: number, level: number): number {
  const t = studentQuantile(1 - level / count, count - 2)
  return ((count - 1) / Math.sqrt(count)) * Math.sqrt((t * t) / (count - 2 + t * t))
}

/** ‖s·BA‖ at the last checkpoint, s taken as 1 where the files do not say it. */
function normOf({ points, scale }: MeasuredModule): number {
  return productNormOf(points.at(-1)!.spectrum) * Math.abs(scale.value ?? 1)
}

interface Sized {
  readonly module: MeasuredModule
  readonly size: number
}

/** Members that lie outside, one after another until none does (generalised by repetition). */
function outliers(members: readonly Sized[], level: number): { odd: Sized[]; score: number; limit: number } {
  const odd: Sized[] = []
  let rest = [...members]
  let [score, limit] = [0, grubbs(members.length, level)]
  while (rest.length >= FEWEST) {
    const mean = rest.reduce((sum, { size }) => sum + size, 0) / rest.length
    const deviation = Math.sqrt(rest.reduce((sum, { size }) => sum + (size - mean) ** 2, 0) / (rest.length - 1))
    if (!(deviation > 0)) break
    const far = rest.reduce((best, one) => (Math.abs(one.size - mean) > Math.abs(best.size - mean) ? one : best))
    const own = Math.abs(far.size - mean) / deviation
    const critical = grubbs(rest.length, level)
    if (odd.length === 0) [score, limit] = [own, critical]
    if (own <= critical) break
    odd.push(far)
    rest = rest.filter((one) => one !== far)
  }
  return { odd, score, limit }
}

export const oddModules: Finding = {
  id: "odd-modules",
  title: "Modules that differ from the rest",
  measures: "log ‖s·BA‖ of the modules of one kind (all q_proj, …) at the last checkpoint",
  threshold: {
    source: "null distribution",
    text: "Grubbs' test for one value outside a normal sample, repeated, at 1/1000 shared among the kinds; kinds with fewer than six modules are not asked",
  },
  why: "A layer that learned ten times more or less than its like was often left out of the optimiser, given another rate, or broken by a bad merge.",
  settle: "the gradient norms of that module; the same run with another seed",
  examine: ({ modules }) => {
    const sized = modules.flatMap((module): Sized[] => {
      const norm = normOf(module)
      return norm > 0 && Number.isFinite(norm) ? [{ module, size: Math.log(norm) }] : []
    })
    const kinds = [...groupsOf(sized, ({ module }) => `${module.kind} ${module.output} × ${module.input}`)].filter(
      ([, members]) => members.length >= FEWEST,
    )
    if (kinds.length === 0) return unknown("there are fewer than six trained modules of every kind.")
    const tested = kinds.map(([kind, members]) => ({ kind, ...outliers(members, LEVEL / kinds.length) }))
    const odd = tested.flatMap(({ odd }) => odd.map(({ module }) => module))
    const most = tested.reduce((best, one) => (one.score / one.limit > best.score / best.limit ? one : best))
    if (odd.length > 0)
      return sick(
        `${odd.length} modules lie outside the others of their kind, ${odd[0]!.name} first (‖s·BA‖ ${shown(normOf(odd[0]!))}).`,
        most.score,
        most.limit,
        names(odd),
      )
    return healthy(
      `No module lies outside its kind; the farthest is ${shown(most.score)} deviations from the mean of its ${most.kind.split(" ")[0]}.`,
      most.score,
      most.limit,
    )
  },
}
