import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { exportFiles, exportRuns } from "../../src/sweep/export.js"
import { identity } from "../../src/sweep/identity.js"
import { openStore } from "../../src/sweep/store.js"
import { readTable } from "../../src/table/readTable.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "export-"))
})
afterAll(() => rm(folder, { recursive: true }))

const QUANTITIES = ["zA", "zB", "delta1", "delta2", "delta3", "normA", "normB", "changeA", "changeB", "b", "input"]
const MODULES = ["q", "v"].flatMap((site) => [0, 1].map((layer) => `model.layers.${layer}.self_attn.${site}_proj`))
const STEPS = [0, 1, 2, 5, 20]

/** What a fine-tuning leaves in a store: as long as one of examples/real/family.yaml. */
function tuning(seed: number) {
  const own = { task: "text", width: 64, checkpoint: "c".repeat(64), rank: 4, alpha: 4, seed, steps: 20 }
  const config = {
    ...{ experiment: "finetune", scheme: "init-a", precision: "float32", backend: "graph", text: "x".repeat(300) },
    task: { config: { ...own, metric: "perplexity", rates: { A: 1e-3, B: 1e-3 } } },
  }
  const sites = STEPS.flatMap((step) =>
    MODULES.map((module) => ({
      ...{ step, module },
      sizes: Object.fromEntries(QUANTITIES.map((name, i) => [name, seed + i / 7 + Math.PI / 1e3])),
    })),
  )
  const result = { backend: "made up", outcome: { kind: "finished" }, finalLoss: 2, metric: 8, sites }
  return { id: identity(config), config, result, seconds: 1 }
}

test("sizes of more runs than unfold in a store's memory at once are written, in their order", async () => {
  const runs = Array.from({ length: 750 }, (_, i) => tuning(750 - i))
  const store = await openStore(join(folder, "runs.duckdb"), {})
  try {
    for (const run of runs) void store.put(run)
    await store.flush()
    const ids = runs.map(({ id }) => id)
    await exportRuns(store.connection, "finetune", ids, exportFiles(join(folder, "out"), "finetune"))
  } finally {
    await store.close()
  }
  const lines = (await readFile(join(folder, "out", "sites.csv"), "utf8")).trim().split("\n")
  expect(lines.length).toBe(1 + 750 * STEPS.length * MODULES.length * QUANTITIES.length)
  const columns = lines[0]!.split(",")
  const cell = (line: string, name: string) => line.split(",")[columns.indexOf(name)]
  expect(["seed", "step", "kind", "quantity", "value"].map((name) => cell(lines[1]!, name))).toEqual([
    ...["1", "0", "q_proj", "b"],
    String(1 + QUANTITIES.indexOf("b") / 7 + Math.PI / 1e3),
  ])
  expect(cell(lines.at(-1)!, "seed")).toBe("750")
  // A store is read as a table in the same way.
  const { cells } = await readTable(join(folder, "runs.duckdb"))
  expect(cells.rows.length).toBe(750)
}, 60_000)

test("of no runs the tables have their columns alone", async () => {
  const store = await openStore(":memory:", {})
  await exportRuns(store.connection, "finetune", [], exportFiles(join(folder, "none"), "finetune"))
  await store.close()
  expect(await readFile(join(folder, "none", "sites.csv"), "utf8")).toMatch(/^id,scheme,.*quantity,value\n$/)
})
