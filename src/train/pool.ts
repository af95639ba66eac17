import { availableParallelism } from "node:os"
import { Piscina } from "piscina"
import { resultOf } from "../answered.js"
import { bundledFile } from "../packageFile.js"
import { runsGraphs, type Task, type TaskResults } from "./task.js"
import type { WorkerSettings } from "./thread.js"

/** Threads that do tasks; results do not depend on their number. */
export interface Pool {
  /** How many tasks may be under way at once. */
  readonly workers: number
  /** The task as this pool does it: what computes a task is part of its identity. */
  claim?<T extends Task>(task: T): T
  /**
   * A scheme's definition is checked here, once, and not by the threads.
   *
   * @param worker 0 … workers − 1: the one to do it, which may have the task's data at hand; by default one that has
   * least to do.
   */
  run<T extends Task>(task: T, signal?: AbortSignal, worker?: number): Promise<TaskResults[T["kind"]]>
  close(): Promise<void>
}

/**
 * A pool of worker threads, by default one per core; 0 works on the calling thread.
 *
 * @param runs how many runs there will be at most: where they are fewer than the workers, a thread each, and the other
 * cores share the rows of teacher-student runs.
 *
 * Threads load built files, so a program that runs from TypeScript sources always works on the calling thread.
 */
export function createPool(workers = availableParallelism(), runs = workers): Pool {
  if (workers === 0 || import.meta.url.endsWith(".ts"))
    return {
      workers: 0,
      run: async (task, signal) => {
        await new Promise((resolve) => setImmediate(resolve))
        signal?.throwIfAborted()
        const [{ checkedTask }, { default: work }] = await Promise.all([
          import("./checkedTask.js"),
          import("./work.js"),
        ])
        return (await work(checkedTask(task))) as never
      },
      close: async () => {},
    }
  const taken = Math.max(1, Math.min(workers, runs))
  // A pool of one thread each, so that a task can be given to the thread that has its data.
  const threads = Array.from({ length: taken }, () => {
    const ending = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    return {
      tasks: 0,
      ending,
      thread: new Piscina({
        filename: bundledFile("work.js").href,
        name: "inThread",
        minThreads: 1,
        maxThreads: 1,
        idleTimeout: Number.POSITIVE_INFINITY,
        workerData: { rowThreads: Math.floor(workers / taken), ending } satisfies WorkerSettings,
      }),
    }
  })
  // Loaded while the threads start.
  const checking = import("./checkedTask.js")
  return {
    workers: taken,
    run: async (given, signal, worker) => {
      const task = (await checking).checkedTask(given)
      const chosen = threads[worker ?? -1] ?? threads.reduce((least, each) => (each.tasks < least.tasks ? each : least))
      chosen.tasks++
      try {
        if (signal === undefined) return resultOf(await chosen.thread.run(task))
        return resultOf(
          runsGraphs(task) ? await untilAsked(chosen, task, signal) : await chosen.thread.run(task, { signal }),
        )
      } finally {
        chosen.tasks--
      }
    },
    close: async () => {
      await Promise.all(threads.map(({ thread }) => thread.destroy()))
    },
  }
}

/** A task of native code, at whose thread's end the process would end: it is asked to stop instead. */
async function untilAsked(
  { thread, ending }: { readonly thread: Piscina; readonly ending: Int32Array },
  task: Task,
  signal: AbortSignal,
) {
  signal.throwIfAborted()
  const ask = () => Atomics.store(ending, 0, 1)
  signal.addEventListener("abort", ask)
  try {
    return await thread.run(task)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener("abort", ask)
    Atomics.store(ending, 0, 0)
  }
}
