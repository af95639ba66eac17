import { answered } from "../answered.js"
import { checkedScheme, type Scheme } from "../scheme/checkedScheme.js"
import { type FusedProgram, fusedProgram } from "./fused/runFused.js"
import type { Engine } from "./graph/engine.js"
import { type RunResult, run } from "./run.js"
import type { Task, TaskResults } from "./task.js"

type SchemeTask = Extract<Task, { kind: "scheme" }>

/**
 * Does one piece of work, on whichever thread: the result depends on the task alone. What few kinds of tasks need is
 * loaded with the first of them.
 *
 * A scheme's definition was checked (`checkedTask`). Its task is read as a graph where it says so, else as fused loops or by the reference interpreter, also one
 * that a GPU has given up.
 */
export default async function work(task: Task): Promise<TaskResults[Task["kind"]]> {
  if (task.kind === "scheme") {
    const { ready, fused } = keptProgram(task)
    if (task.backend === "graph") return graphRuns(ready, task)
    const { config, seeds } = task
    const fusedRuns = config.precision === undefined ? fused()?.runs(config, seeds) : null
    return fusedRuns ?? seeds.map((seed) => run(ready, { ...config, seed }))
  }
  if (task.kind === "finetune") {
    const { runTuning } = await import("./tuning/run.js")
    return runTuning(task.config, task.files, task)
  }
  const { teacherStudentRun } = await import("./teacherStudentRun.js")
  return teacherStudentRun(task)
}

/** As the default export, for a thread: what is refused goes as data. */
export const inThread = (task: Task) => answered(work(task))

/** A scheme with its values, and its program as fused loops. */
interface Program {
  readonly ready: Scheme
  /** Planned when it is first asked for; null for a program that has none. */
  readonly fused: () => FusedProgram | null
}

const kept = new Map<string, Program>()
/** Programs that are kept: those of a section follow each other at each width. */
const MOST_KEPT = 64

function keptProgram({ definition, values, config: { rank } }: SchemeTask): Program {
  const key = JSON.stringify([definition, values, rank])
  const known = kept.get(key)
  if (known !== undefined) return known
  const ready = checkedScheme(definition, values)
  let plan: FusedProgram | null | undefined
  const fused = () => {
    if (plan === undefined) plan = fusedProgram(ready, rank)
    return plan
  }
  const [oldest] = kept.keys()
  if (kept.size >= MOST_KEPT) kept.delete(oldest!)
  const program = { ready, fused }
  kept.set(key, program)
  return program
}

const engines = new Map<string, Promise<Engine>>()

/** The runs as a graph, or by the reference interpreter with the reason why not. */
async function graphRuns(ready: Scheme, { config, seeds, device = "cpu" }: SchemeTask): Promise<readonly RunResult[]> {
  const { GraphFailure, openEngine } = await import("./graph/engine.js")
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
