import fc from "fast-check"
import { expect, test } from "vitest"
import { gathered } from "../../src/launch/gather.js"
import { checkedConfig } from "../../src/sweep/config.js"
import { plan, plannedSoFar, runPlan } from "../../src/sweep/plan.js"
import { openStore } from "../../src/sweep/store.js"
import { createPool } from "../../src/train/pool.js"

const student = {
  experiment: "teacher-student",
  schemes: ["init-a", "init-b"],
  widths: [8, 16],
  seeds: 2,
  steps: 3,
  samples: 6,
  teacherWidth: 4,
}

test.each([{ refine: 2 }, { follow: 1 }])(
  "what is left is what each task finds left of its shard: %j",
  async (more) => {
    const config = checkedConfig({ ...student, rates: { from: 1e-3, to: 10, perDecade: 1, ...more } })
    const whole = await openStore(":memory:", {})
    const all = await runPlan(plan(config), { pool: createPool(0), store: whole })
    const results = await whole.results(all.map(({ id }) => id))
    await whole.close()
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7 }),
        fc.oneof(
          fc.uniqueArray(fc.integer({ min: 0, max: all.length - 1 }), { maxLength: 6 }),
          fc
            .array(fc.boolean(), { minLength: all.length, maxLength: all.length })
            .map((kept) => kept.flatMap((keep, i) => (keep ? [] : [i]))),
        ),
        async (count, lost) => {
          const store = await openStore(":memory:", {})
          for (const [i, { id, config: own }] of all.entries())
            if (!lost.includes(i)) void store.put({ id, config: own, result: results.get(id), seconds: 0 })
          await store.flush()
          const shards = await Promise.all(
            Array.from({ length: count }, (_, i) => plannedSoFar(plan(config, { index: i + 1, count }), store)),
          )
          const { runs, finished, missing } = await gathered(config, count, store)
          const ids = (some: readonly { readonly id: string }[]) => some.map(({ id }) => id).sort()
          expect(ids(runs)).toEqual(ids(shards.flat()))
          expect(missing).toEqual(
            shards.flatMap((own, i) => (own.every(({ id }) => store.finished.has(id)) ? [] : [i + 1])),
          )
          expect([...finished].sort()).toEqual(ids(runs).filter((id) => store.finished.has(id)))
          await store.close()
        },
      ),
      { numRuns: 8 },
    )
  },
)
