import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { open } from "node:fs/promises"
import type { Launcher, Progress, TaskEnd } from "./launcher.js"
import { logOf, type SweepArray, taskWords } from "./sweepArray.js"

/**
 * Tasks as processes on this machine.
 *
 * @param atOnce how many at a time.
 */
export function localLauncher(array: SweepArray, atOnce: number): Launcher {
  let tasks: readonly number[] = []
  return {
    underWay: async () => 0,
    start: async (given) => {
      tasks = given
    },
    ended: async (told, signal) => {
      const queue = [...tasks]
      const ends = new Map<number, TaskEnd>()
      const progress = (): Progress => ({
        running: tasks.length - queue.length - ends.size,
        waiting: queue.length,
        ended: ends.size,
      })
      const lane = async () => {
        for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
          signal.throwIfAborted()
          told(progress())
          ends.set(task, await done(array, task, signal))
        }
      }
      await Promise.all(Array.from({ length: atOnce }, lane))
      signal.throwIfAborted()
      if (tasks.length > 0) told(progress())
      tasks = []
      return ends
    },
  }
}

/** Does a task, which is interrupted with this process. */
async function done(array: SweepArray, task: number, signal: AbortSignal): Promise<TaskEnd> {
  const log = await open(logOf(array, task), "a")
  try {
    const [command, ...words] = taskWords(array, task)
    const child: ChildProcess = spawn(command!, words, { stdio: ["ignore", log.fd, log.fd] })
    const interrupt = () => child.kill("SIGINT")
    signal.addEventListener("abort", interrupt)
    const [code, killed] = (await once(child, "exit")) as [number | null, string | null]
    signal.removeEventListener("abort", interrupt)
    return { words: killed === null ? `ended with ${code}` : `killed by ${killed}`, cancelled: false }
  } finally {
    await log.close()
  }
}
