import { type Scheme, scheme } from "../scheme/scheme.js"
import { type FusedProgram, fusedProgram } from "./fused/runFused.js"
import { type Engine, GraphFailure, openEngine } from "./graph/engine.js"
import { type RunResult, run } from "./run.js"
import type { Task, TaskResults } from "./task.js"

type SchemeTask = Extract<Task, { kind: "scheme" }>

/**
 * Does one piece of work, on whichever thread: the result depends on the task alone. What few kinds of tasks need is
 * loaded with the first of them.
 *
 * A scheme's task is read as a graph where it says so, else as fused loops or by the reference interpreter, also one
 * that a GPU has given up.
 */
export default async function work(task: Task): Promise<TaskResults[Task["kind"]]> {
  if (task.kind === "scheme") {
    const ready = scheme(task.definition, task.values)
    if (task.backend === "graph") return graphRuns(ready, task)
    return fusedRuns(ready, task) ?? task.seeds.map((seed) => run(ready, { ...task.config, seed }))
  }
  if (task.kind === "finetune") {
    const { runTuning } = await import("./tuning/run.js")
    return runTuning(task.config, task.files, task)
  }
  const { teacherStudentRun } = await import("./teacherStudentRun.js")
  return teacherStudentRun(task)
}

const planned = new Map<string, FusedProgram | null>()
/** Programs that are kept: those of a section follow each other at each width. */
const MOST_PLANNED = 64

/** The runs as fused loops; null in a precision, or for a program or a width that has none. */
function fusedRuns(ready: Scheme, { definition, values, config, seeds }: SchemeTask): readonly RunResult[] | null {
  if (config.precision !== undefined) return null
  const key = JSON.stringify([definition, values, config.rank])
  if (!planned.has(key)) {
    const [oldest] = planned.keys()
    if (planned.size >= MOST_PLANNED) planned.delete(oldest!)
    planned.set(key, fusedProgram(ready, config.rank))
  }
  return planned.get(key)?.runs(config, seeds) ?? null
}

const engines = new Map<string, Promise<Engine>>()

/** The runs as a graph, or by the reference interpreter with the reason why not. */
async function graphRuns(ready: Scheme, { config, seeds, device = "cpu" }: SchemeTask): Promise<readonly RunResult[]> {
  const engine = engines.get(device) ?? openEngine({ device })
  engines.set(device, engine)
  try {
    const opened = await engine
    const { runProgram } = await import("./graph/program.js")
    const results = await runProgram(opened, ready, config, seeds)
    return results.map((result) => ({ ...result, backend: opened.name, rounding: 2 ** -24 }))
  } catch (error) {
    if (!(error instanceof GraphFailure)) throw error
    const failed = [error.message]
    return seeds.map((seed) => ({ ...run(ready, { ...config, seed }), backend: "reference float64", failed }))
  }
}
