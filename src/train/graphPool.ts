import type { Pool } from "./pool.js"

/**
 * A pool whose schemes' runs are read as graphs; those in a precision, and the teacher-student runs, are done as
 * before.
 */
export function createGraphPool(pool: Pool): Pool {
  return {
    ...pool,
    claim: (task) =>
      task.kind === "scheme" && task.config.precision === undefined ? { ...task, backend: "graph" } : task,
  }
}
