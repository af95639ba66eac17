/** Findings between runs: what changed from one to the other besides what was meant. */
import { shown } from "./finding.js"
import type { MeasuredRun } from "./measureRun.js"

interface Across {
  readonly id: string
  readonly state: "notice"
  readonly says: string
}

/** The rank, alpha and multiplier that all modules of a run share; null where they differ or are not said. */
function scaleOf({ modules }: MeasuredRun): { rank: number; alpha: number; value: number } | null {
  const { rank, scale } = modules[0]!
  const same = modules.every((module) => module.rank === rank && module.scale.value === scale.value)
  return !same || scale.alpha === null || scale.value === null ? null : { rank, alpha: scale.alpha, value: scale.value }
}

/** Runs of different rank with one alpha: their multipliers differ. */
export function acrossRuns(runs: readonly MeasuredRun[]): Across[] {
  const known = runs.flatMap((measured) => {
    const scale = scaleOf(measured)
    return scale === null ? [] : [{ name: measured.run.name, ...scale }]
  })
  const first = known[0]
  const other = known.find(
    ({ rank, alpha, value }) => rank !== first!.rank && alpha === first!.alpha && value !== first!.value,
  )
  if (first === undefined || other === undefined) return []
  return [
    {
      id: "scaling-mismatch",
      state: "notice",
      says: `${first.name} has rank ${first.rank}, ${other.name} rank ${other.rank}, both alpha ${shown(first.alpha)}: the multipliers are ${shown(first.value)} and ${shown(other.value)}. With alpha / r the largest stable rate of Adam stays the same for a random A and a zero B; compare runs at equal rates only if that is meant.`,
    },
  ]
}
