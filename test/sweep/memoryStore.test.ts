import { expect, test } from "vitest"
import { memoryStore } from "../../src/sweep/memoryStore.js"
import { openStore, type Store } from "../../src/sweep/store.js"
import { sweep } from "../../src/sweep/sweep.js"
import { counted, tasksAt } from "./counted.js"

const tasks = tasksAt(32, 64)

test("a store in memory gives a sweep what a database would, and a second sweep runs nothing", async () => {
  const counter = counted()
  const after = async (store: Store) => {
    counter.runs = 0
    const results = await sweep(tasks, { pool: counter.pool, store })
    expect(counter.runs).toBe(tasks.length)
    expect(await sweep(tasks, { pool: counter.pool, store })).toEqual(results)
    expect(counter.runs).toBe(tasks.length)
    const ids = [...store.finished].sort()
    const taken = await store.taken([...ids, "none"])
    expect(taken.every(({ seconds }) => seconds > 0)).toBe(true)
    await store.close()
    const widths = taken.map(({ config }) => (config as { config: { width: number } }).config.width)
    return { results, ids, widths: widths.sort((x, y) => x - y) }
  }
  const inMemory = await after(memoryStore())
  expect(inMemory).toEqual(await after(await openStore(":memory:", {})))
  expect(inMemory.widths).toEqual([32, 64])
})

test("NaN and −0 come back as they were handed over; what was not is not there", async () => {
  const store = memoryStore()
  await store.put({ id: "x", config: 1, result: [Number.NaN, -0], seconds: 2 })
  expect(await store.results(["x", "y"])).toEqual(new Map([["x", [Number.NaN, -0]]]))
})
