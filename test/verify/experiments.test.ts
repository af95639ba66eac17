import { expect, test } from "vitest"
import { openStore } from "../../src/sweep/store.js"
import type { Pool } from "../../src/train/pool.js"
import { checkBudget } from "../../verify/compare/budget.js"
import { FIRST_SEED, SEEDS_EACH } from "../../verify/compare/seeds.js"
import { settingAt } from "../../verify/compare/setting.js"
import type { Effort, Experiment } from "../../verify/experiment.js"
import { experiments } from "../../verify/experiments.js"
import { WIDE_BUDGET } from "../../verify/theory/theoryWide.js"

test("experiments have names of their own, and tasks at either size", () => {
  const all = experiments()
  const ids = all.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { id, title, tasks } of all) {
    expect(id).toMatch(/^[a-z][a-z0-9-]*$/)
    expect(title).not.toBe("")
    expect(tasks({ size: "full", seeds: 1 })).toBeGreaterThanOrEqual(tasks({ size: "quick", seeds: 1 }))
  }
})

test("the list leaves each experiment seeds of its own", () => {
  const first = Object.values(FIRST_SEED).sort((x, y) => x - y)
  for (const [i, next] of first.slice(1).entries()) expect(next - first[i]!).toBeGreaterThanOrEqual(SEEDS_EACH)
})

/** The block of the list that a seed lies in: its first seed. */
function blockOf(seed: number): number {
  const found = Object.values(FIRST_SEED).find((first) => first <= seed && seed < first + SEEDS_EACH)
  if (found === undefined) throw new Error(`seed ${seed} is in no block of the list`)
  return found
}

/** The blocks that the first sweep of an experiment draws from: its tasks are noted, none is run. */
async function blocksOf(experiment: Experiment, effort: Effort): Promise<Set<number>> {
  const blocks = new Set<number>()
  const noted = new Error("noted")
  const pool: Pool = {
    workers: 10_000,
    run: async (task) => {
      for (const seed of task.kind === "scheme" ? task.seeds : [task.config.seed]) blocks.add(blockOf(seed))
      throw noted
    },
    close: async () => {},
  }
  const store = await openStore(":memory:", {})
  try {
    await experiment.run(effort, { pool, store })
  } catch (error) {
    if (error !== noted) throw error
  } finally {
    await store.close()
  }
  return blocks
}

/** These measure nothing themselves. */
const WITHOUT_RUNS = ["derived", "real-family", "real-encoder", "real-decoder", "real-table", "interval-coverage"]
/** Reads the runs of the teacher-student experiment, as it says. */
const SHARING = "which-wins"

test.each(["quick", "full"] as const)("no two experiments share a seed (%s)", async (size) => {
  const owners = new Map<number, string>([
    [blockOf(FIRST_SEED.intervalCoverage), "interval-coverage"],
    [blockOf(checkBudget(settingAt("init-a", { c: "-1/2" })).firstSeed), "check"],
    [blockOf(WIDE_BUDGET.firstSeed), "theory-wide"],
  ])
  for (const experiment of experiments().filter(({ id }) => id !== SHARING && !WITHOUT_RUNS.includes(id))) {
    const blocks = await blocksOf(experiment, { size, seeds: 1 })
    expect(blocks.size, experiment.id).toBeGreaterThan(0)
    for (const block of blocks) {
      expect(owners.get(block), `${experiment.id} draws from ${block}`).toBeUndefined()
      owners.set(block, experiment.id)
    }
  }
})
