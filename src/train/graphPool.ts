import type { Pool } from "./pool.js"

/**
 * A pool whose schemes' runs are read as graphs, on a device of the engine; those in a precision, and the
 * teacher-student runs, are done as before.
 */
export function createGraphPool(pool: Pool, device = "cpu"): Pool {
  const own = device === "cpu" ? ({ backend: "graph" } as const) : ({ backend: "graph", device } as const)
  return {
    ...pool,
    claim: (task) => (task.kind === "scheme" && task.config.precision === undefined ? { ...task, ...own } : task),
  }
}
