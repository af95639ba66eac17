import type { Pool } from "../train/pool.js"
import type { Task, TaskResults } from "../train/task.js"
import { identity, type Store } from "./store.js"

/** How a sweep is run: on which threads, into which store, and who is told. */
export interface SweepOptions {
  readonly pool: Pool
  readonly store: Store
  readonly signal?: AbortSignal
  readonly onFinished?: () => void
}

/**
 * The results of the tasks, in their order. What the store has is not run again; each result is stored as soon as it is
 * there, so an interrupted sweep loses only the runs under way.
 *
 * @throws the signal's reason if it aborts.
 */
export async function sweep<T extends Task>(
  tasks: readonly T[],
  { pool, store, signal, onFinished }: SweepOptions,
): Promise<TaskResults[T["kind"]][]> {
  const results = new Array<TaskResults[T["kind"]]>(tasks.length)
  let next = 0
  // One lane per thread: neighbouring tasks share data, and no more tasks wait in the pool than threads can take.
  const lane = async () => {
    while (next < tasks.length) {
      signal?.throwIfAborted()
      const index = next++
      const task = tasks[index]!
      const known = store.finished.get(identity(task))
      if (known === undefined) {
        const start = performance.now()
        const result = await pool.run(task, signal)
        await store.put(task, result, (performance.now() - start) / 1000)
        results[index] = result
      } else results[index] = known as TaskResults[T["kind"]]
      onFinished?.()
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, pool.workers) }, lane))
  return results
}
