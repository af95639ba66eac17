import type { Pool } from "../train/pool.js"
import type { Task, TaskResults } from "../train/task.js"
import { identity } from "./identity.js"
import { NetworkQueue } from "./networkQueue.js"
import type { Store } from "./store.js"

/** How a sweep is run: on which threads, into which store, and who is told of each run once it is stored. */
export interface SweepOptions {
  readonly pool: Pool
  readonly store: Store
  readonly signal?: AbortSignal
  readonly onFinished?: () => void
}

/** A task under the identity and the configuration that it is stored with. */
export interface Work {
  readonly id: string
  readonly config: unknown
  readonly task: Task
}

/** How many results may wait to be stored before no further run is begun. */
const MOST_WAITING = 1000

/**
 * Does what the store does not have, each piece once; what is finished when this fails or is aborted is stored.
 *
 * @param told each piece as soon as it is stored; those that the store has already are not told.
 * @throws the first failure, or the signal's reason if it aborts.
 */
export async function finish<T extends Work>(
  work: readonly T[],
  { pool, store, signal }: SweepOptions,
  told: (done: T) => void = () => {},
): Promise<void> {
  const remaining = [...new Map(work.map((piece) => [piece.id, piece])).values()].filter(
    ({ id }) => !store.finished.has(id),
  )
  const queue = new NetworkQueue(remaining)
  let waiting = 0
  let failure: { readonly cause: unknown } | null = null
  const failed = (cause: unknown) => {
    failure ??= { cause }
  }
  // One lane per thread: no more tasks wait in the pool than threads can take.
  const lane = async (worker: number) => {
    while (failure === null) {
      const piece = queue.next(worker)
      if (piece === null) return
      try {
        signal?.throwIfAborted()
        const start = performance.now()
        const result = await pool.run(piece.task, signal, worker)
        waiting++
        const { id, config } = piece
        const stored = store.put({ id, config, result, seconds: (performance.now() - start) / 1000 }).then(() => {
          waiting--
          told(piece)
        })
        stored.catch(failed)
        if (waiting > MOST_WAITING) await stored
      } catch (cause) {
        failed(cause)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, pool.workers) }, (_, worker) => lane(worker)))
  await store.flush().catch(failed)
  if (failure !== null) throw (failure as { readonly cause: unknown }).cause
}

/**
 * The results of the tasks, in their order. What the store has is not run again; an interrupted sweep loses only the
 * runs under way, a killed one also those not stored yet (see `Store.put`).
 *
 * @throws the signal's reason if it aborts.
 */
export async function sweep<T extends Task>(
  tasks: readonly T[],
  options: SweepOptions,
): Promise<TaskResults[T["kind"]][]> {
  const work = tasks.map((given) => {
    const task = options.pool.claim?.(given) ?? given
    return { id: identity(task), config: task, task }
  })
  for (const { id } of work) if (options.store.finished.has(id)) options.onFinished?.()
  await finish(work, options, options.onFinished)
  const results = await options.store.results(work.map(({ id }) => id))
  return work.map(({ id }) => results.get(id) as TaskResults[T["kind"]])
}
