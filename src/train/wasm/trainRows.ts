import { RunSummary } from "../runSummary.js"
import type { TeacherStudentResult } from "../teacherStudent.js"
import type { TeacherStudentConfig } from "../teacherStudentConfig.js"
import type { Barrier } from "./barrier.js"
import { type Layout, sizesAt } from "./layout.js"
import type { Phases } from "./phases.js"

/** Adam's constants, as in `program/optimiser`. */
const [BETA1, BETA2] = [0.9, 0.999]

/**
 * One thread's part of a run; every thread of a run calls this, and all find the same result.
 *
 * A thread works on the same groups of rows throughout, so that their optimiser state stays in its cache.
 */
export function trainRows(
  phases: Phases,
  layout: Layout,
  memory: WebAssembly.Memory,
  { thread, barrier }: { readonly thread: number; readonly barrier: Barrier },
  { steps, rates, recordEvery }: Pick<TeacherStudentConfig, "steps" | "rates" | "recordEvery">,
): Omit<TeacherStudentResult, "backend"> {
  const { groups, shape } = layout
  const { width: n, rank: r, samples: N, threads } = shape
  const [from, to] = [Math.floor((groups * thread) / threads), Math.floor((groups * (thread + 1)) / threads)]
  const overGroups = (phase: (group: number) => void) => {
    for (let group = from; group < to; group++) phase(group)
    barrier.wait()
  }
  const sizes = new Float64Array(memory.buffer, sizesAt(thread), 3)
  const summary = new RunSummary({ steps, recordEvery })

  overGroups((group) => phases.startZ(group))
  for (let step = 0; ; step++) {
    const squaresA = phases.sumZ(thread)
    overGroups((group) => phases.forward(thread, group))
    phases.residual(thread, sizesAt(thread), step === 0)
    const [squaredResidual, squaredChange, squaresB] = [sizes[0]!, sizes[1]!, sizes[2]!]
    const result = summary.add({
      step,
      loss: squaredResidual / (2 * N),
      zA: Math.sqrt(squaresA / (r * N)),
      zB: Math.sqrt(squaresB / (n * N)),
      outputChange: Math.sqrt(squaredChange / N),
    })
    if (result !== null) return result
    const [mean, square] = [1 / (1 - BETA1 ** (step + 1)), 1 / (1 - BETA2 ** (step + 1))]
    overGroups((group) => phases.backward(thread, group, rates.B * mean, square))
    phases.sumGradientZ(thread)
    overGroups((group) => phases.update(thread, group, rates.A * mean, square))
  }
}
