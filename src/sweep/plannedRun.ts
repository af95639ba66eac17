import type { Task } from "../train/task.js"
import { identity } from "./identity.js"

/** The version of what is stored of a run; another version is another run. */
const RESULT_FORMAT = 1

/** All that determines a run's result. */
export interface RunConfiguration {
  readonly format: number
  readonly experiment: "theory" | "teacher-student"
  readonly scheme: string
  readonly precision: string
  readonly backend: string
  readonly task: Task
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

/** The run of a configuration. */
export function plannedRun(given: Omit<RunConfiguration, "format">, shardKey?: string): PlannedRun {
  const config = { format: RESULT_FORMAT, ...given }
  const id = identity(config)
  return { id, config, task: config.task, shardKey: shardKey ?? id }
}
