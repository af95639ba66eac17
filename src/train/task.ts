import { Piscina } from "piscina"
import { type Scheme, type SchemeDefinition, scheme } from "../scheme/scheme.js"
import { openTrainer } from "./backend.js"
import { type FusedProgram, fusedProgram } from "./fused/runFused.js"
import { type Engine, GraphFailure, openEngine } from "./graph/engine.js"
import { runProgram } from "./graph/program.js"
import { type RunConfig, type RunResult, run } from "./run.js"
import { type StudentScheme, trainStudent } from "./student.js"
import type {
  Activations,
  BackendName,
  KernelPrecision,
  TeacherStudentResult,
  TeacherStudentTrainer,
} from "./teacherStudent.js"
import type { TeacherStudentConfig } from "./teacherStudentConfig.js"
import { runTuning, type TuningConfig, type TuningFiles, type TuningHow, type TuningResult } from "./tuning/run.js"
import { teacherStudentData } from "./wasm/teacherStudentData.js"

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

/** What a task of each kind returns. */
export interface TaskResults {
  readonly scheme: readonly RunResult[]
  readonly synthetic: TeacherStudentResult
  readonly finetune: TuningResult
}

/** What a thread of the pool is told at its start. */
export interface WorkerSettings {
  /** Threads over the rows of a teacher-student run. */
  readonly rowThreads: number
}

let cached: { readonly key: string; readonly trainer: Promise<TeacherStudentTrainer> } | undefined

/**
 * Does one piece of work, on whichever thread: the result depends on the task alone.
 *
 * A scheme's task is read as a graph where it says so, else by the reference interpreter, also one that a GPU has given
 * up.
 */
export default function work(task: Task): TaskResults[Task["kind"]] | Promise<TaskResults[Task["kind"]]> {
  if (task.kind === "scheme") {
    const ready = scheme(task.definition, task.values)
    if (task.backend === "graph") return graphRuns(ready, task)
    return fusedRuns(ready, task) ?? task.seeds.map((seed) => run(ready, { ...task.config, seed }))
  }
  if (task.kind === "finetune") return runTuning(task.config, task.files, task)
  return teacherStudent(task)
}

const planned = new Map<string, FusedProgram | null>()
/** Programs that are kept: those of a section follow each other at each width. */
const MOST_PLANNED = 64

/** The runs as fused loops; null in a precision, or for a program or a width that has none. */
function fusedRuns(
  ready: Scheme,
  { definition, values, config, seeds }: Extract<Task, { kind: "scheme" }>,
): readonly RunResult[] | null {
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
async function graphRuns(
  ready: Scheme,
  { config, seeds, device = "cpu" }: Extract<Task, { kind: "scheme" }>,
): Promise<readonly RunResult[]> {
  const engine = engines.get(device) ?? openEngine({ device })
  engines.set(device, engine)
  try {
    const opened = await engine
    const results = await runProgram(opened, ready, config, seeds)
    return results.map((result) => ({ ...result, backend: opened.name, rounding: 2 ** -24 }))
  } catch (error) {
    if (!(error instanceof GraphFailure)) throw error
    const failed = [error.message]
    return seeds.map((seed) => ({ ...run(ready, { ...config, seed }), backend: "reference float64", failed }))
  }
}

/** Neighbouring tasks share their network and data, so the last trainer is kept. */
async function teacherStudent({
  backend,
  precision = "float32",
  activations = "float32",
  scheme: own,
  config,
}: Extract<Task, { kind: "synthetic" }>): Promise<TeacherStudentResult> {
  if (backend === "reference") return trainStudent(own!, config, teacherStudentData(config))
  const key = networkKey({ backend, precision, activations, config })
  if (cached?.key !== key) {
    const before = cached
    cached = { key, trainer: openTrainer(config, { backend, precision, activations, threads: rowThreads() }) }
    await (await before?.trainer)?.close()
  }
  return (await cached.trainer).train(config)
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

function rowThreads(): number {
  return Piscina.isWorkerThread ? (Piscina.workerData as WorkerSettings).rowThreads : 1
}
