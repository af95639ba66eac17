import { isMainThread, workerData } from "node:worker_threads"

/** What a thread of the pool is told at its start. */
export interface WorkerSettings {
  /** Threads over the rows of a teacher-student run. */
  readonly rowThreads: number
  /** 1 where the graph that it runs is to be the last (`throwIfEnding`). */
  readonly ending: Int32Array
}

/** Threads over the rows of a teacher-student run, on this thread. */
export function rowThreads(): number {
  return settings()?.rowThreads ?? 1
}

/**
 * Throws where the thread is asked to end. What runs native code asks between its calls: a thread that is ended within
 * one takes the whole process with it.
 */
export function throwIfEnding(): void {
  const own = settings()
  if (own !== null && Atomics.load(own.ending, 0) === 1) throw new Error("the thread was asked to end")
}

/** Null on a thread that is not the pool's. */
function settings(): WorkerSettings | null {
  const given = (isMainThread ? null : workerData) as Partial<WorkerSettings> | null
  return given?.ending instanceof Int32Array ? (given as WorkerSettings) : null
}
