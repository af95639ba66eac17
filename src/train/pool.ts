import { availableParallelism } from "node:os"
import { Piscina } from "piscina"
import work, { type Task, type TaskResults, type WorkerSettings } from "./task.js"

/** Threads that do tasks; results do not depend on their number. */
export interface Pool {
  readonly workers: number
  run<T extends Task>(task: T, signal?: AbortSignal): Promise<TaskResults[T["kind"]]>
  close(): Promise<void>
}

/** How cores are shared among runs: a thread a run, and several over the rows of a run where runs are fewer than cores; 0 cores stand for the calling thread. */
export function share(runs: number, cores = availableParallelism()): { workers: number; rowThreads: number } {
  if (cores === 0) return { workers: 0, rowThreads: 1 }
  const workers = Math.max(1, Math.min(runs, cores))
  return { workers, rowThreads: Math.floor(cores / workers) }
}

/**
 * A pool of worker threads, by default one per core; 0 works on the calling thread.
 *
 * @param rowThreads threads over the rows of a teacher-student run, where there are fewer runs than cores.
 *
 * Threads load compiled files, so a program that runs from TypeScript sources always works on the calling thread.
 */
export function createPool(workers = availableParallelism(), rowThreads = 1): Pool {
  if (workers === 0 || import.meta.url.endsWith(".ts"))
    return {
      workers: 0,
      run: async (task, signal) => {
        await new Promise((resolve) => setImmediate(resolve))
        signal?.throwIfAborted()
        return (await work(task)) as never
      },
      close: async () => {},
    }
  const threads = new Piscina({
    filename: new URL("./task.js", import.meta.url).href,
    minThreads: workers,
    maxThreads: workers,
    idleTimeout: Number.POSITIVE_INFINITY,
    workerData: { rowThreads } satisfies WorkerSettings,
  })
  return {
    workers,
    run: (task, signal) => threads.run(task, signal === undefined ? {} : { signal }),
    close: () => threads.destroy(),
  }
}
