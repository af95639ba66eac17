import type { SchemeDefinition } from "../scheme/scheme.js"
import type { RunConfig, RunResult } from "./run.js"
import type { StudentScheme } from "./student.js"
import type { Activations, BackendName, KernelPrecision, TeacherStudentResult } from "./teacherStudent.js"
import type { TeacherStudentConfig } from "./teacherStudentConfig.js"
import type { TuningConfig, TuningFiles, TuningHow, TuningResult } from "./tuning/run.js"

/** A piece of work for a thread; plain data, so that it travels. */
export type Task =
  | {
      readonly kind: "scheme"
      /** By default the reference interpreter. */
      readonly backend?: "gpu" | "graph"
      /** Of the graph engine; by default its CPU. */
      readonly device?: string
      readonly definition: SchemeDefinition
      readonly values: Readonly<Record<string, string>>
      readonly config: Omit<RunConfig, "seed">
      readonly seeds: readonly number[]
    }
  | {
      /** The teacher-student experiment under an older word, which stored runs' identities and tables carry. */
      readonly kind: "synthetic"
      /** "reference" with a scheme that no kernel trains. */
      readonly backend: BackendName | "reference"
      readonly scheme?: StudentScheme
      /** Default float32. */
      readonly precision?: KernelPrecision
      /** How a GPU stores the frozen activations; default float32. */
      readonly activations?: Activations
      readonly config: TeacherStudentConfig
    }
  | FineTuningTask

/** A pretrained model fine-tuned. */
export interface FineTuningTask extends TuningHow {
  readonly kind: "finetune"
  readonly config: TuningConfig
  /** Where the model and the texts lie: no part of what determines the result. */
  readonly files: TuningFiles
}

/** Whether the graph engine does the task. */
export function runsGraphs(task: Task): boolean {
  return task.kind === "finetune" ? task.engine === "graph" : task.kind === "scheme" && task.backend === "graph"
}

/** What a task of each kind returns. */
export interface TaskResults {
  readonly scheme: readonly RunResult[]
  readonly synthetic: TeacherStudentResult
  readonly finetune: TuningResult
}

/**
 * A text that is equal for tasks whose network, or model and texts, are drawn or read once for those that follow each
 * other; null where there is nothing to share.
 */
export function sharedKey(task: Task): string | null {
  if (task.kind === "scheme") return null
  if (task.kind === "synthetic") return networkKey(task)
  const { checkpoint, data, length } = task.config
  return JSON.stringify([task.engine, task.torch, task.precision, checkpoint, data, length])
}

/** A text that is equal for teacher-student tasks of one network. */
export function networkKey({
  backend,
  precision = "float32",
  activations = "float32",
  config,
}: Omit<Extract<Task, { kind: "synthetic" }>, "kind" | "scheme">): string {
  const { start: _, rates: __, steps: ___, recordEvery: ____, ...network } = config
  return JSON.stringify([backend, precision, activations, network])
}
