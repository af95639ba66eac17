import type { TeacherStudentRecord, TeacherStudentResult } from "./teacherStudent.js"
import type { TeacherStudentConfig } from "./teacherStudentConfig.js"

/** A loss beyond this multiple of the start's counts as divergence. */
const DIVERGED = 1e6

/** Whether a run that began with one loss has diverged at another. */
export function isDiverged(loss: number, first: number): boolean {
  return !(loss <= DIVERGED * Math.max(1, first))
}

/** Collects a run's records, step by step from 0, until it has ended. */
export class RunSummary {
  private readonly run: Pick<TeacherStudentConfig, "steps" | "recordEvery">
  private readonly history: TeacherStudentRecord[] = []
  private readonly largest = { zA: 0, zB: 0, outputChange: 0 }
  private first = Number.NaN

  constructor(run: Pick<TeacherStudentConfig, "steps" | "recordEvery">) {
    this.run = run
  }

  /** Adds the next step's record: null while the run goes on, its result where it has diverged or is finished. */
  add(record: TeacherStudentRecord): Omit<TeacherStudentResult, "backend"> | null {
    const { history, largest, run } = this
    const { step, loss } = record
    if (step === 0) this.first = loss
    for (const name of ["zA", "zB", "outputChange"] as const) largest[name] = Math.max(largest[name], record[name])
    if (step % run.recordEvery === 0 || step === run.steps) history.push(record)
    const diverged = isDiverged(loss, this.first)
    if (!diverged && step < run.steps) return null
    const outcome = diverged ? ({ kind: "diverged", step } as const) : ({ kind: "finished" } as const)
    return { outcome, finalLoss: loss, largest, history }
  }
}
