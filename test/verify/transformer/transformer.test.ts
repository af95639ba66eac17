import { expect, test } from "vitest"
import { BLOCK_SITES } from "../../../src/program/models/transformer.js"
import { openStore } from "../../../src/sweep/store.js"
import { createPool } from "../../../src/train/pool.js"
import { settingAt } from "../../../verify/compare/setting.js"
import { transformer, transformerLaws } from "../../../verify/transformer/transformer.js"

test("a block is measured and judged site by site, and its bounds are told for each", async () => {
  const [pool, store] = [createPool(0), await openStore(":memory:", {})]
  const size = {
    settings: [settingAt("bert-block/init-b", { c: "-1" })],
    budget: { widths: [64, 128, 256], rank: 4, steps: 2, seeds: 4, firstSeed: 0 },
    steps: [1, 2],
  }
  const { data, findings } = await transformerLaws(size, { pool, store })
  await store.close()
  const sites = BLOCK_SITES["bert-block"]
  // Z_A, B and Z_B of every site, scores, the block and the output, at two steps.
  expect(data.transformer!.rows).toHaveLength(2 * (3 * sites.length + 3))
  // Each site has the bound of one layer, which is that of all of them.
  expect(data["transformer-bounds"]!.rows.map(([, , site, bound]) => [site, bound])).toEqual(
    [...sites, "all"].map((site) => [site, "c <= -1"]),
  )
  expect(findings.filter(({ verdict, why }) => verdict === "contradicts" && why === null)).toEqual([])
  expect(findings.some(({ verdict }) => verdict === "agrees")).toBe(true)
})

test("more seeds make more tasks, and a full run is larger than a quick one", () => {
  const tasks = (size: "quick" | "full", seeds: number) => transformer.tasks({ size, seeds })
  expect(tasks("quick", 2)).toBeGreaterThan(tasks("quick", 1))
  expect(tasks("full", 1)).toBeGreaterThan(tasks("quick", 1))
})
