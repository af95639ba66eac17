import type { FinishedRun, Store } from "./store.js"

/** A store that ends with its process: no database is started for it. */
export function memoryStore(): Store {
  const runs = new Map<string, FinishedRun>()
  const finished = new Set<string>()
  const stored = (ids: Iterable<string>) => [...new Set(ids)].flatMap((id) => runs.get(id) ?? [])
  return {
    finished,
    async put(run) {
      runs.set(run.id, run)
      finished.add(run.id)
    },
    async flush() {},
    async results(ids) {
      return new Map(stored(ids).map(({ id, result }) => [id, result]))
    },
    async taken(ids) {
      return stored(ids).map(({ config, seconds }) => ({ config, seconds }))
    },
    async close() {},
  }
}
