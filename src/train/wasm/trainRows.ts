import { isDiverged, RunSummary } from "../runSummary.js"
import type { TeacherStudentRecord, TeacherStudentResult } from "../teacherStudent.js"
import type { TeacherStudentConfig } from "../teacherStudentConfig.js"
import type { GroupShares } from "./groupShares.js"
import { type Layout, sizesAt } from "./layout.js"
import type { Phases } from "./phases.js"

/** Adam's constants, as in `program/optimiser`. */
const [BETA1, BETA2] = [0.9, 0.999]

/** Numbers of a step's record. */
const [LOSS, ZA, ZB, CHANGE, FIELDS] = [0, 1, 2, 3, 4]

/** Room for the records of a run, which its threads share. */
export function recordsOf({ steps }: Pick<TeacherStudentConfig, "steps">): Float64Array {
  return new Float64Array(new SharedArrayBuffer(8 * FIELDS * (steps + 1)))
}

/**
 * One thread's part of a run; every thread of a run calls this, and all find the same result.
 *
 * A thread that had no core for a while goes on at the phase that the others are in: what it sums up of a phase before
 * is only used where that is not over yet, and then nothing of it has changed.
 */
export function trainRows(
  phases: Phases,
  layout: Layout,
  memory: WebAssembly.Memory,
  {
    thread,
    shares,
    records,
  }: { readonly thread: number; readonly shares: GroupShares; readonly records: Float64Array },
  { steps, rates, recordEvery }: Pick<TeacherStudentConfig, "steps" | "rates" | "recordEvery">,
): Omit<TeacherStudentResult, "backend"> {
  const { width: n, rank: r, samples: N } = layout.shape
  const sizes = new Float64Array(memory.buffer, sizesAt(thread), 3)
  const keep = (step: number, squaresA: number) => {
    const [squaredResidual, squaredChange, squaresB] = [sizes[0]!, sizes[1]!, sizes[2]!]
    const at = step * FIELDS
    records[at + LOSS] = squaredResidual / (2 * N)
    records[at + ZA] = Math.sqrt(squaresA / (r * N))
    records[at + ZB] = Math.sqrt(squaresB / (n * N))
    records[at + CHANGE] = Math.sqrt(squaredChange / N)
  }

  shares.share(0, (group) => phases.startZ(group))
  for (let step = 0; ; step++) {
    const [forward, backward, update] = [3 * step + 1, 3 * step + 2, 3 * step + 3]
    if (!shares.isOver(backward)) {
      const squaresA = phases.sumZ(thread)
      shares.share(forward, (group) => phases.forward(thread, group))
      phases.residual(thread, sizesAt(thread), step === 0)
      const loss = sizes[0]! / (2 * N)
      const isLast = step === steps || isDiverged(loss, step === 0 ? loss : records[LOSS]!)
      if (isLast && !shares.isOver(backward)) {
        keep(step, squaresA)
        return summaryOf(records, step, { steps, recordEvery })
      }
      const [mean, square] = [1 / (1 - BETA1 ** (step + 1)), 1 / (1 - BETA2 ** (step + 1))]
      shares.share(backward, (group) => {
        if (group === 0) {
          keep(step, squaresA)
          if (step === 0) phases.keepF0(thread)
        }
        phases.backward(thread, group, rates.B * mean, square)
      })
    }
    if (shares.isOver(update)) continue
    phases.sumGradientZ(thread)
    const [mean, square] = [1 / (1 - BETA1 ** (step + 1)), 1 / (1 - BETA2 ** (step + 1))]
    shares.share(update, (group) => phases.update(thread, group, rates.A * mean, square))
  }
}

/** The result of a run that ended with the given step. */
function summaryOf(
  records: Float64Array,
  last: number,
  run: Pick<TeacherStudentConfig, "steps" | "recordEvery">,
): Omit<TeacherStudentResult, "backend"> {
  const summary = new RunSummary(run)
  for (let step = 0; ; step++) {
    const at = step * FIELDS
    const record: TeacherStudentRecord = {
      step,
      loss: records[at + LOSS]!,
      zA: records[at + ZA]!,
      zB: records[at + ZB]!,
      outputChange: records[at + CHANGE]!,
    }
    const result = summary.add(record)
    if (result !== null) return result
    if (step === last) throw new Error(`a run of ${run.steps} steps ended with step ${last}`)
  }
}
