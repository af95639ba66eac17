import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { identity } from "../../src/sweep/identity.js"
import { openStore } from "../../src/sweep/store.js"
import { sweep } from "../../src/sweep/sweep.js"
import { createPool, type Pool } from "../../src/train/pool.js"
import { counted, tasksAt } from "./counted.js"

const tasks = tasksAt(32, 64, 128, 256)

test("an interrupted sweep goes on where it stopped and ends as one that never was", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sweep-"))
  const path = join(folder, "runs.duckdb")
  const counter = counted()
  try {
    const interruption = new AbortController()
    let store = await openStore(path, {})
    const stopping: Pool = {
      ...counter.pool,
      run: (task, signal) => {
        if (counter.runs === 2) interruption.abort(new Error("stop"))
        return counter.pool.run(task, signal)
      },
    }
    await expect(sweep(tasks, { pool: stopping, store, signal: interruption.signal })).rejects.toThrow("stop")
    await store.close()
    store = await openStore(path, {})
    expect(store.finished.size).toBe(2)
    const resumed = await sweep(tasks, { pool: counter.pool, store })
    await store.close()
    expect(counter.runs).toBe(tasks.length + 1) // the third is aborted once it has begun
    const memory = await openStore(":memory:", {})
    expect(resumed).toEqual(await sweep(tasks, { pool: createPool(0), store: memory }))
    await memory.close()
  } finally {
    await rm(folder, { recursive: true })
  }
})

test("NaN and infinities survive the store; the identity ignores the order of keys", async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-"))
  const path = join(folder, "runs.duckdb")
  const result = { losses: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1] }
  const first = await openStore(path, {})
  await first.put({ id: identity({ x: 1, y: 2 }), config: { x: 1, y: 2 }, result, seconds: 0 })
  await first.close()
  const second = await openStore(path, {})
  const id = identity({ y: 2, x: 1 })
  expect((await second.results([id])).get(id)).toEqual(result)
  await second.close()
  await rm(folder, { recursive: true })
})

test("a file that is no store is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "store-"))
  const path = join(folder, "notes.txt")
  await writeFile(path, "not a database, and long enough to be looked at as one".repeat(100))
  await expect(openStore(path, {})).rejects.toThrow(InputError)
  expect(await readdir(folder)).toEqual(["notes.txt"])
  await rm(folder, { recursive: true })
})
