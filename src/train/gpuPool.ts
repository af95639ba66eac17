import { scheme } from "../scheme/scheme.js"
import { type Gpu, GpuFailure } from "./gpu/device.js"
import { runProgram } from "./gpu/program.js"
import { backendOf, batchKey, requireFloat32, trainTeacherStudent } from "./gpu/teacherStudent.js"
import type { Pool } from "./pool.js"
import type { RunResult } from "./run.js"
import type { FineTuningTask, Task, TaskResults } from "./task.js"
import type { TeacherStudentResult } from "./teacherStudent.js"

/** How many tasks wait at most: they are what a batch can be made of. */
const AT_ONCE = 512

type SchemeTask = Extract<Task, { kind: "scheme" }>
type TeacherStudentTask = Extract<Task, { kind: "synthetic" }>

interface Waiting {
  readonly task: GpuTask
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
}

/**
 * A pool that puts tasks together to batches on one device.
 *
 * What does not fit is halved, down to single runs; what fails then, or has an operation without a kernel, goes to the
 * CPU, and a lost device is opened once more before. Each result names what computed it and what failed before.
 *
 * @param open opens a device in the place of a lost one.
 * @param cpu for those, and for tasks in a precision; it is closed with this pool.
 */
export function createGpuPool(first: Gpu, open: () => Promise<Gpu>, cpu: Pool): Pool {
  let gpu = first
  let waiting: Waiting[] = []
  let running: Promise<void> | null = null

  /** Results of a batch; each half of one that fails is tried by itself. */
  const batch = async <T, R extends Failed>(
    parts: readonly T[],
    onGpu: (gpu: Gpu, parts: readonly T[]) => Promise<R[]>,
    onCpu: (part: T) => Promise<R>,
    failed: readonly string[] = [],
  ): Promise<R[]> => {
    const noted = (result: R) => (failed.length === 0 ? result : { ...result, failed })
    try {
      return (await onGpu(gpu, parts)).map(noted)
    } catch (error) {
      if (!(error instanceof GpuFailure)) throw error
      const note = `${parts.length} at once: ${error.message}`
      const reopened = gpu.lost && (await reopen())
      const next = [...failed, note]
      if (error.kind !== "unsupported" && parts.length > 1 && (!gpu.lost || reopened)) {
        const half = Math.ceil(parts.length / 2)
        return [
          ...(await batch(parts.slice(0, half), onGpu, onCpu, next)),
          ...(await batch(parts.slice(half), onGpu, onCpu, next)),
        ]
      }
      // A device that was lost under a single run may have been lost to something else: once more.
      if (reopened && failed.every((text) => !text.startsWith("1 at once: lost")))
        return batch(parts, onGpu, onCpu, next)
      return Promise.all(parts.map(async (part) => ({ ...(await onCpu(part)), failed: next })))
    }
  }
  const reopen = async () => {
    try {
      gpu = await open()
      return true
    } catch {
      return false
    }
  }

  const drain = async () => {
    // What is handed over in one go is collected first.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const key = keyOf(waiting[0]!.task)
      const own = waiting.filter(({ task }) => keyOf(task) === key)
      waiting = waiting.filter(({ task }) => keyOf(task) !== key)
      try {
        const results = await resultsOf(
          own.map(({ task }) => task),
          batch,
          cpu,
        )
        own.forEach(({ resolve }, i) => {
          resolve(results[i] as never)
        })
      } catch (error) {
        for (const { reject } of own) reject(error)
      }
      // Those whose results have just gone out may bring the next tasks of the same batch.
      await new Promise((resolve) => setImmediate(resolve))
    }
    running = null
  }
  return {
    workers: AT_ONCE,
    claim: (task) => (isForGpu(task) ? { ...task, backend: "gpu" } : task),
    run: (task, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted()
        if (!isOnGpu(task)) {
          cpu.run(task, signal).then(resolve, reject)
          return
        }
        waiting.push({ task, resolve, reject })
        running ??= drain()
      }),
    close: async () => {
      await running
      gpu.close()
      await cpu.close()
    },
  }
}

/** A result that may say what failed before it. */
interface Failed {
  readonly failed?: readonly string[]
}

type Batch = <T, R extends Failed>(
  parts: readonly T[],
  onGpu: (gpu: Gpu, parts: readonly T[]) => Promise<R[]>,
  onCpu: (part: T) => Promise<R>,
) => Promise<R[]>

function isOnGpu(task: Task): task is GpuTask {
  return task.kind !== "finetune" && task.backend === "gpu"
}

/** A device has no fine-tunings of pretrained models. */
type GpuTask = Exclude<Task, FineTuningTask>

/** A device computes in float32; tasks in other precisions, and those that no kernel trains, stay on the CPU. */
function isForGpu(task: Task): task is GpuTask {
  if (task.kind === "finetune" || task.backend === "reference") return false
  return task.kind === "scheme" ? task.config.precision === undefined : (task.precision ?? "float32") === "float32"
}

/** What tasks of one batch have in common. */
function keyOf(task: GpuTask): string {
  if (task.kind === "synthetic") return `${task.activations ?? "float32"} ${batchKey(task.config)}`
  const { seeds: _, ...shared } = task
  return JSON.stringify(shared)
}

/** The results of tasks of one key. */
async function resultsOf(tasks: readonly GpuTask[], batch: Batch, cpu: Pool): Promise<TaskResults[Task["kind"]][]> {
  const [first] = tasks
  if (first!.kind === "synthetic") {
    const own = tasks as readonly TeacherStudentTask[]
    for (const { precision = "float32" } of own) requireFloat32(precision)
    const { activations } = own[0]!
    return batch(
      own.map(({ config }) => config),
      (gpu, configs) => trainTeacherStudent(gpu, configs, activations),
      (config): Promise<TeacherStudentResult> => cpu.run({ kind: "synthetic", backend: "cpu", config }),
    )
  }
  const own = tasks as readonly SchemeTask[]
  const { definition, values, config } = own[0]!
  if (config.precision !== undefined) requireFloat32("a reading in a precision")
  const ready = scheme(definition, values)
  const results = await batch(
    own.flatMap(({ seeds }) => seeds),
    async (gpu, seeds) =>
      (await runProgram(gpu, ready, config, seeds)).map((result) => ({
        ...result,
        backend: backendOf(gpu),
        rounding: 2 ** -24,
      })),
    async (seed) => {
      const { backend: _, ...task } = own[0]!
      const [result] = await cpu.run({ ...task, seeds: [seed] })
      return { ...result!, backend: "reference float64" } as RunResult
    },
  )
  let end = 0
  return own.map(({ seeds }) => {
    const begin = end
    end += seeds.length
    return results.slice(begin, end)
  })
}
