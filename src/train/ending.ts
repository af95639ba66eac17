import { Piscina } from "piscina"
import type { WorkerSettings } from "./task.js"

/**
 * Throws where the thread is asked to end. What runs native code asks between its calls: a thread that is ended within
 * one takes the whole process with it.
 */
export function throwIfEnding(): void {
  if (Piscina.isWorkerThread && Atomics.load((Piscina.workerData as WorkerSettings).ending, 0) === 1)
    throw new Error("the thread was asked to end")
}
