import type { FineTuningTask, Task } from "../train/task.js"
import { identity } from "./identity.js"

/** The version of what is stored of a run; another version is another run. */
const RESULT_FORMAT = 1

/** All that determines a run's result. */
export interface RunConfiguration {
  readonly format: number
  readonly experiment: "theory" | "teacher-student" | "finetune"
  readonly scheme: string
  readonly precision: string
  readonly backend: string
  readonly task: Task | Omit<FineTuningTask, "files">
}

/** One run of a sweep. */
export interface PlannedRun {
  /** The hash of the configuration. */
  readonly id: string
  readonly config: RunConfiguration
  readonly task: Task
  /** What decides the run's shard: its identity, or that of the runs that its successors depend on. */
  readonly shardKey: string
}

/**
 * The run of a configuration; where its task's files lie is not part of it.
 *
 * @param shardKey by default the run's own identity.
 */
export function plannedRun(
  given: Omit<RunConfiguration, "format" | "task"> & { readonly task: Task },
  shardKey?: string,
): PlannedRun {
  const { task } = given
  const config = { format: RESULT_FORMAT, ...given, task: task.kind === "finetune" ? withoutFiles(task) : task }
  const id = identity(config)
  return { id, config, task, shardKey: shardKey ?? id }
}

function withoutFiles({ files: _, ...rest }: FineTuningTask): Omit<FineTuningTask, "files"> {
  return rest
}
