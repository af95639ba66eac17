import type { Spent } from "../src/report/document.js"
import type { Store } from "../src/sweep/store.js"
import type { SweepOptions } from "../src/sweep/sweep.js"
import type { Task } from "../src/train/task.js"

/** Options whose store notes which runs are read, and the account of those runs. */
export function accounted(options: SweepOptions): { options: SweepOptions; spent: () => Promise<Spent> } {
  const ids = new Set<string>()
  const start = performance.now()
  const store: Store = {
    ...options.store,
    results: (asked) => {
      const all = [...asked]
      for (const id of all) ids.add(id)
      return options.store.results(all)
    },
  }
  return {
    options: { ...options, store },
    spent: async () => {
      const seconds = (performance.now() - start) / 1000
      const runs = await options.store.taken(ids)
      const runSeconds = runs.reduce((sum, run) => sum + run.seconds, 0)
      const seeds = runs.flatMap(({ config }) => seedsOf(config as Task))
      return { runs: runs.length, runSeconds, seconds, seeds: ranges(seeds) }
    },
  }
}

function seedsOf(task: Task): readonly number[] {
  return task.kind === "scheme" ? task.seeds : [task.config.seed]
}

/** Integers as ranges: 0…63, 100. */
function ranges(values: readonly number[]): string {
  const sorted = [...new Set(values)].sort((x, y) => x - y)
  const found: [number, number][] = []
  for (const value of sorted) {
    const last = found.at(-1)
    if (last !== undefined && last[1] === value - 1) last[1] = value
    else found.push([value, value])
  }
  return found.map(([first, last]) => (first === last ? String(first) : `${first}…${last}`)).join(", ")
}
