import type { SyntheticRecord, SyntheticResult } from "../synthetic.js"
import type { SyntheticConfig } from "../syntheticConfig.js"
import type { Barrier } from "./barrier.js"
import { type Layout, sizesAt } from "./layout.js"
import type { Phases } from "./phases.js"

/** A loss beyond this multiple of the start's counts as divergence. */
const DIVERGED = 1e6

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
  { steps, rates, recordEvery }: Pick<SyntheticConfig, "steps" | "rates" | "recordEvery">,
): Omit<SyntheticResult, "backend"> {
  const { groups, shape } = layout
  const { width: n, rank: r, samples: N, threads } = shape
  const [from, to] = [Math.floor((groups * thread) / threads), Math.floor((groups * (thread + 1)) / threads)]
  const overGroups = (phase: (group: number) => void) => {
    for (let group = from; group < to; group++) phase(group)
    barrier.wait()
  }
  const sizes = new Float64Array(memory.buffer, sizesAt(thread), 3)
  const history: SyntheticRecord[] = []
  const largest = { zA: 0, zB: 0, outputChange: 0 }
  let first = Number.NaN

  overGroups((group) => phases.startZ(group))
  for (let step = 0; ; step++) {
    const squaresA = phases.sumZ(thread)
    overGroups((group) => phases.forward(thread, group))
    phases.residual(thread, sizesAt(thread), step === 0)
    const [squaredResidual, squaredChange, squaresB] = [sizes[0]!, sizes[1]!, sizes[2]!]
    const record = {
      step,
      loss: squaredResidual / (2 * N),
      zA: Math.sqrt(squaresA / (r * N)),
      zB: Math.sqrt(squaresB / (n * N)),
      outputChange: Math.sqrt(squaredChange / N),
    }
    if (step === 0) first = record.loss
    for (const name of ["zA", "zB", "outputChange"] as const) largest[name] = Math.max(largest[name], record[name])
    if (step % recordEvery === 0 || step === steps) history.push(record)
    const diverged = !(record.loss <= DIVERGED * Math.max(1, first))
    if (diverged || step === steps) {
      const outcome = diverged ? ({ kind: "diverged", step } as const) : ({ kind: "finished" } as const)
      return { outcome, finalLoss: record.loss, largest, history }
    }
    const [mean, square] = [1 / (1 - BETA1 ** (step + 1)), 1 / (1 - BETA2 ** (step + 1))]
    overGroups((group) => phases.backward(thread, group, rates.B * mean, square))
    phases.sumGradientZ(thread)
    overGroups((group) => phases.update(thread, group, rates.A * mean, square))
  }
}
