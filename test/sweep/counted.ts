import { schemeNamed } from "../../src/scheme/catalogue.js"
import { createPool, type Pool } from "../../src/train/pool.js"
import type { Task } from "../../src/train/task.js"

/** Two runs of a small scheme at each width. */
export function tasksAt(...widths: readonly number[]): Task[] {
  return widths.map((width) => ({
    kind: "scheme",
    definition: schemeNamed("init-a"),
    values: { c: "-1/2" },
    config: { width, rank: 2, steps: 2 },
    seeds: [1, 2],
  }))
}

interface CountedPool {
  readonly pool: Pool
  runs: number
}

/** A pool on this thread, and how many tasks it was given. */
export function counted(): CountedPool {
  const real = createPool(0)
  const counter: CountedPool = {
    runs: 0,
    pool: {
      ...real,
      run: (task, signal) => {
        counter.runs++
        return real.run(task, signal)
      },
    },
  }
  return counter
}
