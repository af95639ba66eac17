import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { optimalRate } from "../../src/fit/optimum.js"
import { checkedConfig } from "../../src/sweep/config.js"
import { costing } from "../../src/sweep/cost.js"
import { type Plan, plan, plannedSoFar, runPlan } from "../../src/sweep/plan.js"
import { leastPlace, placesAround, rateGrid, refinement } from "../../src/sweep/rates.js"
import { openStore, type Store } from "../../src/sweep/store.js"
import { createPool } from "../../src/train/pool.js"
import type { TeacherStudentResult } from "../../src/train/teacherStudent.js"

const student = {
  experiment: "teacher-student",
  schemes: ["init-a", "init-b"],
  widths: [16, 32],
  rates: { from: 1e-3, to: 10, perDecade: 1 },
  seeds: 2,
  steps: 12,
  samples: 12,
  teacherWidth: 8,
}
const theory = {
  experiment: "theory",
  schemes: [{ scheme: "init-a", set: { c: ["-1/2", -1] } }, "lora-plus"],
  widths: [8, 16, 32],
  seeds: 4,
  steps: 2,
}
const ids = ({ first }: Plan) => first.map(({ id }) => id)

describe("identities", () => {
  const base = ids(plan(checkedConfig(theory)))

  test("a run is planned once, and does not depend on how the file spells it or on what stands beside it", () => {
    expect(new Set(base).size).toBe(3 * 3 * 4)
    const spelt = { ...theory, schemes: ["lora-plus", { set: { c: [-0.5, "-1", "-1/2"] }, scheme: "init-a" }] }
    const again = ids(plan(checkedConfig({ ...spelt, seeds: [4, 3, 2, 1], rank: 4, backend: "auto" })))
    expect([...again].sort()).toEqual([...base].sort())
  })

  test.each([
    { steps: 3 },
    { rank: 2 },
    { seeds: [11, 12, 13, 14] },
    { widths: [9, 17, 33] },
    { schemes: [{ scheme: "init-a", set: { c: ["-1/3", "-2/3"] }, optimiser: "sign" }] },
  ])("whatever changes the result changes them: %j", (change) => {
    const other = new Set(ids(plan(checkedConfig({ ...theory, ...change }))))
    expect(base.filter((id) => other.has(id))).toEqual([])
  })

  test("how activations are stored is part of them, unless it is the default", () => {
    const of = (change: object) => ids(plan(checkedConfig({ ...student, backend: "gpu", ...change })))
    const base = of({})
    expect(of({ activations: "float32" })).toEqual(base)
    const other = new Set(of({ activations: "float16" }))
    expect(other.size).toBe(base.length)
    expect(base.filter((id) => other.has(id))).toEqual([])
    expect(() => plan(checkedConfig({ ...student, activations: "float16" }))).toThrow(/^activations: got "float16"/)
  })

  test("the finer grid has the coarse one's runs", () => {
    const coarse = ids(plan(checkedConfig(student)))
    const fine = ids(plan(checkedConfig({ ...student, rates: { ...student.rates, perDecade: 4 } })))
    expect(fine).toEqual(expect.arrayContaining(coarse))
  })
})

describe("shards", () => {
  test("are disjoint and complete", () => {
    for (const config of [theory, student, { ...student, rates: { ...student.rates, refine: 2 } }].map(checkedConfig)) {
      const whole = ids(plan(config)).sort()
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 40 }), (count) => {
          const parts = Array.from({ length: count }, (_, i) => ids(plan(config, { index: i + 1, count })))
          expect(parts.flat().sort()).toEqual(whole)
        }),
        { numRuns: 10 },
      )
    }
  })

  test("keep together what refinement compares", () => {
    const config = checkedConfig({ ...student, rates: { ...student.rates, refine: 2 } })
    for (const index of [1, 2, 3]) {
      const groups = new Map<string, number>()
      for (const { config: run } of plan(config, { index, count: 3 }).first) {
        const { rates: _, ...rest } = run.task.kind === "synthetic" ? run.task.config : expect.fail()
        const key = JSON.stringify([run.scheme, rest])
        groups.set(key, (groups.get(key) ?? 0) + 1)
      }
      for (const count of groups.values()) expect(count).toBe(5)
    }
  })
})

describe("refinement of the rates", () => {
  /** Values that fall to a place and rise after it, infinite from somewhere on. */
  const valleys = fc
    .record({
      rounds: fc.integer({ min: 1, max: 4 }),
      coarse: fc.integer({ min: 1, max: 6 }),
      steps: fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 120, maxLength: 120 }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      diverging: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ rounds, coarse, steps, part, diverging }) => {
      const last = coarse * 2 ** rounds
      const least = Math.round(part * last)
      const infinite = least + 1 + Math.round(diverging * (last - least))
      const values = Array.from({ length: last + 1 }, (_, place) => {
        const [low, high] = [Math.min(place, least), Math.max(place, least)]
        return place >= infinite ? Number.NaN : steps.slice(low, high).reduce((sum, step) => sum + step, 0)
      })
      return { rounds, values, least }
    })

  test("finds the least value of the whole lattice where there is one valley", () => {
    fc.assert(
      fc.property(valleys, ({ rounds, values, least }) => {
        const last = values.length - 1
        const measured = new Map<number, number>()
        for (let place = 0; place <= last; place += 2 ** rounds) measured.set(place, values[place]!)
        fc.pre([...measured.values()].some(Number.isFinite))
        for (let spacing = 2 ** rounds; spacing > 1; spacing /= 2)
          for (const place of refinement(measured, last, spacing)) measured.set(place, values[place]!)
        const [best] = [...measured].reduce((x, y) => (y[1] < x[1] || Number.isNaN(x[1]) ? y : x))
        expect(best).toBe(least)
        for (const neighbour of [least - 1, least + 1])
          expect(measured.has(neighbour)).toBe(neighbour >= 0 && neighbour <= last)
      }),
    )
  })

  test("and the plain grid of its finest spacing find the same optima in the experiment, with fewer runs", async () => {
    const grid = { from: 1e-3, to: 10, perDecade: 1 }
    const refined = plan(checkedConfig({ ...student, rates: { ...grid, refine: 2 } }))
    const plain = plan(checkedConfig({ ...student, rates: { ...grid, perDecade: 4 } }))
    const [store, other] = [await openStore(":memory:", {}), await openStore(":memory:", {})]
    const pool = createPool(0)
    const fewer = await runPlan(refined, { pool, store })
    const all = await runPlan(plain, { pool, store: other })
    expect(fewer.length).toBeLessThan(0.7 * all.length)
    const [found, expected] = [await optima(fewer, store), await optima(all, other)]
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort())
    expect(found.size).toBe(8)
    for (const [key, rate] of found)
      expect(Math.abs(Math.log10(rate / expected.get(key)!)), key).toBeLessThanOrEqual(1 / 4)
    await Promise.all([store.close(), other.close()])
  })
})

describe("minima followed from width to width", () => {
  test("what is around a place ends at a value that is the least of all within the margin, wherever it began", () => {
    const values = fc.array(
      fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 9 }) }, fc.constant(Number.NaN)),
      {
        minLength: 1,
        maxLength: 20,
      },
    )
    fc.assert(
      fc.property(values, fc.nat(19), fc.integer({ min: 1, max: 3 }), (all, from, margin) => {
        const last = all.length - 1
        const measured = new Map<number, number>()
        let places: readonly number[] = placesAround(Math.min(from, last), last, margin)
        let best = 0
        while (places.length > 0) {
          for (const place of places) measured.set(place, all[place]!)
          best = leastPlace(measured)
          places = placesAround(best, last, margin).filter((place) => !measured.has(place))
        }
        const near = placesAround(best, last, margin)
        for (const place of near) expect(measured.has(place)).toBe(true)
        const finite = [...measured.values()].filter(Number.isFinite)
        if (finite.length > 0) expect(all[best]).toBe(Math.min(...finite))
        else expect(measured.has(0)).toBe(true)
      }),
    )
  })

  const widths = [16, 32, 64, 128, 256]
  const wide = { ...student, widths, seeds: 4, steps: 40, samples: 48 }
  const grid = { from: 1e-4, to: 4.6416, perDecade: 3 }

  test("and the whole grid have the same optima in the experiment, with less than half of the work", async () => {
    const followed = plan(checkedConfig({ ...wide, rates: { ...grid, follow: 2 } }))
    const whole = plan(checkedConfig({ ...wide, rates: grid }))
    const store = await openStore(":memory:", {})
    const pool = createPool(0)
    const fewer = await runPlan(followed, { pool, store })
    const all = await runPlan(whole, { pool, store })
    expect(await plannedSoFar(followed, store)).toEqual(fewer)
    // All seeds of a width have the same rates.
    const seedsAt = new Map<string, number>()
    for (const { config, task } of fewer) {
      const { width, rates } = task.kind === "synthetic" ? task.config : expect.fail()
      const key = `${config.scheme} ${width} ${rates.A}`
      seedsAt.set(key, (seedsAt.get(key) ?? 0) + 1)
    }
    expect(new Set(seedsAt.values())).toEqual(new Set([4]))
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining(fewer.map(({ id }) => id)))
    const operations = (runs: typeof all) => runs.reduce((sum, { task }) => sum + costing()(task).operations, 0)
    expect(operations(fewer) / operations(all)).toBeLessThan(0.5)
    const [found, expected] = [await optima(fewer, store), await optima(all, store)]
    expect(found.size).toBe(widths.length * 2 * 4)
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected))
    await store.close()
  })

  test("a shard has all widths of its minima, so that shards together have the runs of the whole", async () => {
    const config = checkedConfig({ ...student, widths: [16, 32], rates: { ...grid, follow: 1 } })
    const pool = createPool(0)
    const store = await openStore(":memory:", {})
    const whole = await runPlan(plan(config), { pool, store })
    const parts: string[] = []
    for (const index of [1, 2, 3]) {
      const own = await openStore(":memory:", {})
      const planned = plan(config, { index, count: 3 })
      const runs = await runPlan(planned, { pool, store: own })
      expect(runs.length).toBeLessThanOrEqual(planned.first.length + planned.later)
      parts.push(...runs.map(({ id }) => id))
      await own.close()
    }
    expect(parts.sort()).toEqual(whole.map(({ id }) => id).sort())
    await store.close()
  })
})

/** The rate of least loss of each width, scheme and seed. */
async function optima(runs: Plan["first"], store: Store): Promise<Map<string, number>> {
  const results = await store.results(runs.map(({ id }) => id))
  const grids = new Map<string, { rate: number; value: number }[]>()
  for (const { id, config } of runs) {
    if (config.task.kind !== "synthetic") continue
    const { width, seed, rates } = config.task.config
    const { outcome, finalLoss } = results.get(id) as TeacherStudentResult
    const key = `${config.scheme} n=${width} seed ${seed}`
    const value = outcome.kind === "finished" ? finalLoss : Number.POSITIVE_INFINITY
    grids.set(key, [...(grids.get(key) ?? []), { rate: rates.A, value }])
  }
  return new Map([...grids].map(([key, grid]) => [key, optimalRate(grid).rate]))
}

test("a grid is evenly spaced in its logarithm and has both ends", () => {
  expect(rateGrid({ from: 1e-2, to: 1, perDecade: 2 }).map((rate) => rate.toPrecision(6))).toEqual([
    "0.0100000",
    "0.0316228",
    "0.100000",
    "0.316228",
    "1.00000",
  ])
})
