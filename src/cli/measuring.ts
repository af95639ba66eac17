import { memoryStore } from "../sweep/memoryStore.js"
import type { Store } from "../sweep/store.js"
import type { SweepOptions } from "../sweep/sweep.js"
import type { Pool } from "../train/pool.js"
import { interruption } from "./interruption.js"

/** What a command that measures needs. */
export interface Measuring {
  readonly pool: Pool
  /** The DuckDB file of finished runs, or :memory:. */
  readonly store: string
  /** What the progress bar says, and how many times it is told: found out while threads start where that takes long. */
  readonly label: string
  readonly tasks: number | (() => Promise<number>)
}

/** Does a job with a pool, a store and a progress bar, which are closed in the end, however it ends. */
export async function measuring<T>(
  { pool, store: place, label, tasks }: Measuring,
  job: (options: SweepOptions) => Promise<T>,
): Promise<T> {
  try {
    const { progress } = await import("./progress.js")
    const total = typeof tasks === "number" ? tasks : await tasks()
    const store = await storeAt(place)
    const bar = progress(label, total)
    try {
      return await job({ pool, store, signal: interruption.signal, onFinished: () => bar.tick() })
    } finally {
      bar.stop()
      await store.close()
    }
  } finally {
    await pool.close()
  }
}

/** What is kept nowhere needs no database, which takes long to load. */
async function storeAt(place: string): Promise<Store> {
  if (place === ":memory:") return memoryStore()
  const [{ openStore }, { environment }] = await Promise.all([
    import("../sweep/store.js"),
    import("../report/environment.js"),
  ])
  return openStore(place, environment())
}
