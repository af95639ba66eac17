import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { identity, openStore } from "../../src/sweep/store.js"
import { sweep } from "../../src/sweep/sweep.js"
import { createPool, type Pool } from "../../src/train/pool.js"
import type { Task } from "../../src/train/task.js"

const tasks: Task[] = [32, 64, 128, 256].map((width) => ({
  kind: "scheme",
  definition: schemeNamed("init-a"),
  values: { c: "-1/2" },
  config: { width, rank: 2, steps: 2 },
  seeds: [1, 2],
}))

test("an interrupted sweep goes on where it stopped and ends as one that never was", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sweep-"))
  const path = join(folder, "runs.duckdb")
  const real = createPool(0)
  let runs = 0
  const counting: Pool = {
    ...real,
    run: (task, signal) => {
      runs++
      return real.run(task, signal)
    },
  }
  try {
    const interruption = new AbortController()
    let store = await openStore(path, {})
    const onFinished = () => store.finished.size === 2 && interruption.abort(new Error("stop"))
    await expect(sweep(tasks, { pool: counting, store, signal: interruption.signal, onFinished })).rejects.toThrow(
      "stop",
    )
    store.close()
    store = await openStore(path, {})
    expect(store.finished.size).toBe(2)
    const resumed = await sweep(tasks, { pool: counting, store })
    store.close()
    expect(runs).toBe(tasks.length)
    const memory = await openStore(":memory:", {})
    expect(resumed).toEqual(await sweep(tasks, { pool: real, store: memory }))
    memory.close()
  } finally {
    await rm(folder, { recursive: true })
  }
})

test("NaN and infinities survive the store; the identity ignores the order of keys", async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-"))
  const path = join(folder, "runs.duckdb")
  const result = { losses: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1] }
  const first = await openStore(path, {})
  await first.put({ x: 1, y: 2 }, result, 0)
  first.close()
  const second = await openStore(path, {})
  expect(second.finished.get(identity({ y: 2, x: 1 }))).toEqual(result)
  second.close()
  await rm(folder, { recursive: true })
})

test("a file that is no store is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-"))
  const path = join(folder, "notes.txt")
  await writeFile(path, "not a database, and long enough to be looked at as one".repeat(100))
  await expect(openStore(path, {})).rejects.toThrow(InputError)
  await rm(folder, { recursive: true })
})
