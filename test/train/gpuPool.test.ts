import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, test } from "vitest"
import { InputError } from "../../src/inputError.js"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { checkedConfig } from "../../src/sweep/config.js"
import { exportRuns } from "../../src/sweep/export.js"
import { plan, runPlan } from "../../src/sweep/plan.js"
import { openStore } from "../../src/sweep/store.js"
import { sweep } from "../../src/sweep/sweep.js"
import { openTrainer } from "../../src/train/backend.js"
import { Gpu, openGpu } from "../../src/train/gpu/device.js"
import { createGpuPool } from "../../src/train/gpuPool.js"
import { createPool, type Pool } from "../../src/train/pool.js"
import type { Task } from "../../src/train/task.js"
import type { TeacherStudentConfig } from "../../src/train/teacherStudentConfig.js"
import { records } from "../table/records.js"
import { deviceForTests } from "./gpu/graphicsAdapter.js"
import { SMALL_RUN } from "./gpu/smallRun.js"

const { gpu, title } = await deviceForTests()
afterAll(() => gpu?.close())

const config = SMALL_RUN
const runs = [1e-3, 1e-2, 1e-1].map((rate) => ({ ...config, rates: { A: rate, B: rate } }))
const teacherStudent = (one: TeacherStudentConfig) =>
  ({ kind: "synthetic", backend: "gpu", config: one }) satisfies Task
const schemeTask = {
  kind: "scheme",
  backend: "gpu",
  definition: schemeNamed("init-a"),
  values: { c: "-1/2" },
  config: { width: 32, rank: 2, steps: 2 },
  seeds: [1, 2],
} satisfies Task

/** The device behind other limits, or one that is closed beside the tests' own. */
const withLimits = (limits: ConstructorParameters<typeof Gpu>[2]) => new Gpu(gpu!.device, gpu!, limits)
const never = () => Promise.reject(new Error("not expected to be opened again"))
const all = (pool: Pool) => Promise.all(runs.map((run) => pool.run(teacherStudent(run))))

describe.skipIf(gpu === null)(`a pool on a GPU: ${title}`, () => {
  test("puts runs together and agrees with the CPU kernel", async () => {
    const pool = createGpuPool(gpu!, never, createPool(0))
    const results = await all(pool)
    const cpu = await openTrainer(config)
    for (const [i, run] of runs.entries()) {
      const expected = await cpu.train(run)
      expect(results[i]!.backend).toBe(`gpu float32 ${gpu!.name}`)
      expect(results[i]!.failed).toBeUndefined()
      expect(results[i]!.finalLoss).toBeCloseTo(expected.finalLoss, 4)
    }
    await cpu.close()
  })

  test("what computes a task is part of its identity; readings in a precision stay on the CPU", async () => {
    const pool = createGpuPool(gpu!, never, createPool(0))
    const [cpu, store] = [createPool(0), await openStore(":memory:", {})]
    const { backend: _, ...task } = schemeTask
    const [[onGpu], [onCpu]] = [await sweep([task], { pool, store }), await sweep([task], { pool: cpu, store })]
    expect(store.finished.size).toBe(2)
    expect(onGpu!.map(({ backend }) => backend)).toEqual(Array(2).fill(`gpu float32 ${gpu!.name}`))
    expect(onCpu!.map(({ backend }) => backend)).toEqual(Array(2).fill("fused float64"))
    const double = { kind: "synthetic", backend: "cpu", precision: "float64", config } satisfies Task
    expect(pool.claim!(double)).toEqual(double)
    expect((await pool.run(double)).backend).toMatch(/^cpu float64/)
    await store.close()
  })

  test("a limit too small for all halves the batch, and for one sends it to the CPU: both recorded", async () => {
    // At rank 6 two runs are worked on together: room for the factors of 64 rows of two, not of three with an empty
    // slot.
    const tight = createGpuPool(withLimits({ maxStorageBufferBindingSize: 12 * 6 * 64 * 3 }), never, createPool(0))
    const halved = await Promise.all(runs.map((run) => tight.run(teacherStudent({ ...run, rank: 6 }))))
    for (const { backend, failed } of halved) {
      expect(backend).toBe(`gpu float32 ${gpu!.name}`)
      expect(failed).toEqual([expect.stringMatching(/^3 at once: limit: maxStorageBufferBindingSize/)])
    }
    const sent = await all(createGpuPool(withLimits({ maxComputeWorkgroupStorageSize: 64 }), never, createPool(0)))
    for (const { backend, failed } of sent) {
      expect(backend).toMatch(/^cpu float32/)
      expect(failed!.at(-1)).toMatch(/^1 at once: limit: maxComputeWorkgroupStorageSize/)
    }
  })

  test("a lost device is opened again; where it cannot be, the runs go to the CPU", async () => {
    const [doomed, second] = [await openGpu(), await openGpu()]
    const pool = createGpuPool(doomed, async () => second, createPool(0))
    doomed.close()
    const recovered = await all(pool)
    for (const { backend, failed } of recovered) {
      expect(backend).toBe(`gpu float32 ${second.name}`)
      expect(failed).toEqual([expect.stringMatching(/^3 at once: lost/)])
    }
    await pool.close()
    const gone = await openGpu()
    const last = createGpuPool(gone, never, createPool(0))
    gone.close()
    for (const { backend, failed } of await all(last)) {
      expect(backend).toMatch(/^cpu float32/)
      expect(failed).toEqual([expect.stringMatching(/^3 at once: lost/)])
    }
  })

  test("out of memory, as the device reports it, halves the batch too", async () => {
    const device = new Proxy(gpu!.device, {
      get: (target, name) => {
        if (name === "popErrorScope")
          return () => target.popErrorScope().then(() => (crowded ? new GPUOutOfMemoryError("no room") : null))
        const value = Reflect.get(target, name) as unknown
        return typeof value === "function" ? value.bind(target) : value
      },
    })
    let crowded = false
    class Small extends Gpu {
      override allocate<K extends string>(bytes: Readonly<Record<K, number>>) {
        crowded = (bytes as Record<string, number>).runs! > 16
        return super.allocate(bytes)
      }
    }
    const results = await all(createGpuPool(new Small(device, gpu!), never, createPool(0)))
    for (const { backend, failed } of results) {
      expect(backend).toBe(`gpu float32 ${gpu!.name}`)
      expect(failed![0]).toMatch(/^3 at once: out of memory: no room/)
    }
  })

  test("an operation without a kernel goes to the reference interpreter, and says so", async () => {
    const pool = createGpuPool(gpu!, never, createPool(0))
    const [result] = await pool.run({ ...schemeTask, definition: schemeNamed("muon-init-a") })
    expect(result!.backend).toBe("reference float64")
    expect(result!.failed).toEqual([expect.stringMatching(/orthogonalise/)])
  })

  test("runs with activations in float16 and in float32 are batches of their own, and say which", async () => {
    const pool = createGpuPool(gpu!, never, createPool(0))
    const task = teacherStudent(config)
    const halves = { ...task, activations: "float16" as const }
    const [one, other, last] = await Promise.all([pool.run(task), pool.run(halves), pool.run(task)])
    expect(other.backend).toBe(`gpu float32, activations float16, ${gpu!.name}`)
    expect(one.backend).toBe(`gpu float32 ${gpu!.name}`)
    expect(last).toEqual(one)
    expect(other.finalLoss).not.toBe(one.finalLoss)
    expect(other.finalLoss).toBeCloseTo(one.finalLoss, 2)
    await expect(openTrainer(config, { activations: "float16" })).rejects.toThrow(/^activations: got "float16"/)
  })

  test("a table says what computed a run and what failed before", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pool-"))
    const sizes = { widths: [8], seeds: 1, steps: 2, samples: 8, rates: [0.01], schemes: ["init-a"] }
    const asked = { experiment: "teacher-student", backend: "gpu", activations: "float16", ...sizes }
    const table = async (pool: Pool) => {
      const store = await openStore(":memory:", {})
      const runs = await runPlan(plan(checkedConfig(asked)), { pool, store })
      const file = join(folder, "table.csv")
      await exportRuns(
        store.connection,
        "teacher-student",
        runs.map(({ id }) => id),
        [file],
      )
      await store.close()
      return (await records(file))[0]!
    }
    try {
      const computed = await table(createGpuPool(gpu!, never, createPool(0)))
      const wanted = { backend: "gpu", precision: "float32", activations: "float16" }
      const name = `gpu float32, activations float16, ${gpu!.name}`
      expect(computed).toMatchObject({ ...wanted, computed_by: name, failed: "" })
      const sent = await table(createGpuPool(withLimits({ maxComputeWorkgroupStorageSize: 64 }), never, createPool(0)))
      expect(sent).toMatchObject({ ...wanted, computed_by: expect.stringMatching(/^cpu float32/) })
      expect(sent.failed).toMatch(/^1 at once: limit: maxComputeWorkgroupStorageSize/)
      expect(sent.id).toBe(computed.id)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test("float64 is refused with the field's name", async () => {
    await expect(openTrainer(config, { backend: "gpu", precision: "float64" })).rejects.toThrow(InputError)
  })
})
