/**
 * The paper's teacher-student experiment: f(x) = W_out φ((W_h + B A) φ(W_in x)), φ = ReLU, one adapter on the frozen
 * W_h, full batch, Adam with a rate per factor, loss (1/2N) Σ (f − y)². One interface, a backend behind it.
 */
import type { RunOutcome } from "./stepRecords.js"
import type { TeacherStudentConfig } from "./teacherStudentConfig.js"

/** Root mean squares over entries and samples after a step, and the loss there. */
export interface TeacherStudentRecord {
  readonly step: number
  readonly loss: number
  readonly zA: number
  readonly zB: number
  /** f − f₀, f₀ the output at the start: the adapter's change of the output. */
  readonly outputChange: number
}

/** A run's outcome, its largest sizes over all steps, and the kept records. */
export interface TeacherStudentResult {
  /** What computed it, in which arithmetic: results of one backend are equal to the bit. */
  readonly backend: string
  readonly outcome: RunOutcome
  /** The loss after the last step; NaN or Infinity for a diverged run. */
  readonly finalLoss: number
  readonly largest: { readonly zA: number; readonly zB: number; readonly outputChange: number }
  readonly history: readonly TeacherStudentRecord[]
  /** What failed before, on the GPU, in its order: the run was then part of a smaller batch, or went to the CPU. */
  readonly failed?: readonly string[]
}

/** Trains adapters on the frozen activations of one network. */
export interface TeacherStudentTrainer {
  readonly backend: string
  /**
   * One run from its start; a run that diverges stops there and is recorded so.
   *
   * Only start, rates, steps and recordEvery may differ from the configuration that the trainer was opened with.
   */
  train(run: TeacherStudentConfig): Promise<TeacherStudentResult>
  close(): Promise<void>
}

/** The numbers that a trainer computes with. */
export const KERNEL_PRECISIONS = ["float32", "float64"] as const
export type KernelPrecision = (typeof KERNEL_PRECISIONS)[number]

/** The formats in which a trainer stores the frozen activations, the default first. */
export const ACTIVATIONS = ["float32", "float16"] as const
export type Activations = (typeof ACTIVATIONS)[number]

/** What can train: threads and WebAssembly, or a graphics card. */
export type BackendName = "cpu" | "gpu"

/** How a trainer computes. */
export interface OpenOptions {
  readonly precision: KernelPrecision
  /** How the frozen activations are stored: float16 on a GPU only. */
  readonly activations: Activations
  /** Threads over the rows of a run; results do not depend on their number. */
  readonly threads: number
  /** The most bytes that the trainer may take. */
  readonly memoryLimit: number
}
