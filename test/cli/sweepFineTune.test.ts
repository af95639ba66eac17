import { once } from "node:events"
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { engineForTests } from "../train/graph/engine.js"
import { SMALL_SWEEP, writeFamily } from "../train/tuning/texts.js"
import { lora, startLora } from "./lora.js"

const SMALL = { ...SMALL_SWEEP, schemes: ["init-a", "lora-plus"], rates: [0.001, 0.03, 1], seeds: 1 }
const engine = await engineForTests()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "finetune-"))
  await writeFamily(folder, [16, 32])
  await writeFile(join(folder, "sweep.json"), JSON.stringify(SMALL))
})
afterAll(() => rm(folder, { recursive: true }))

const csv = async (name: string): Promise<Record<string, string>[]> =>
  parse(await readFile(join(folder, name), "utf8"), { columns: true })
const words = (store: string) => ["sweep", "sweep.json", "--store", `${store}.duckdb`, "--out", store, "--workers", "1"]

describe.skipIf(engine === null)("a sweep of fine-tunings", () => {
  test("is planned, run, written as two tables, and read by fit", async () => {
    const planned = await lora(folder, ...words("whole"), "--plan")
    expect(planned.err).toMatch(/runs: 12, 0 finished already; 12 to do\nmemory: at most \d+ MiB/)
    const { code, err, out } = await lora(folder, ...words("whole"), "--json")
    expect(code, err).toBe(0)
    const files = ["results.parquet", "results.csv", "sites.parquet", "sites.csv"].map((name) => `whole/${name}`)
    expect(JSON.parse(out)).toMatchObject({ runs: 12, files })
    const rows = await csv("whole/results.csv")
    expect(rows).toHaveLength(12)
    expect(rows[0]).toMatchObject({ task: "text", accuracy: "", backend: "graph", precision: "float32" })
    expect(rows[0]!.computed_by).toMatch(/^onnxruntime-node .* cpu$/)
    for (const { outcome, perplexity } of rows)
      if (outcome === "finished") expect(Number(perplexity)).toBeGreaterThan(1)
    const plus = rows.filter(({ scheme }) => scheme === "lora-plus")
    for (const { rate, rate_b, width } of plus) expect(Number(rate_b) / Number(rate)).toBeCloseTo(Number(width))

    const sites = await csv("whole/sites.csv")
    const finished = rows.filter(({ outcome }) => outcome === "finished").map(({ id }) => id)
    const own = sites.filter(({ id }) => id === finished[0])
    // Two blocks with two layers each: the start's four sizes and, after each of two steps, eleven.
    expect(own).toHaveLength(4 * (4 + 2 * 11))
    expect(new Set(own.map(({ kind }) => kind))).toEqual(new Set(["q_proj", "v_proj"]))

    for (const file of ["whole/results.csv", "whole.duckdb"]) {
      const fit = await lora(folder, "fit", file, "--rate", "rate", "--loss", "perplexity", "--by", "scheme", "--json")
      expect(fit.code, fit.err).toBe(0)
      const { fits } = JSON.parse(fit.out)
      expect(fits.map(({ group }: { group: string }) => group)).toEqual(["init-a", "lora-plus"])
    }
    const again = await lora(folder, ...words("whole"))
    expect(again.err).toContain("12 finished already; 0 to do")
  })

  test("of some blocks alone, its tables say which, and adapters are there alone", async () => {
    const own = { ...SMALL, layers: [1], schemes: ["init-a"], checkpoints: ["llama-16"] }
    await writeFile(join(folder, "upper.json"), JSON.stringify(own))
    const run = await lora(folder, "sweep", "upper.json", "--store", "upper.duckdb", "--out", "upper", "--workers", "0")
    expect(run.code, run.err).toBe(0)
    expect(new Set((await csv("upper/results.csv")).map(({ layers }) => layers))).toEqual(new Set(["1"]))
    expect(new Set((await csv("whole/results.csv")).map(({ layers }) => layers))).toEqual(new Set([""]))
    expect(new Set((await csv("upper/sites.csv")).map(({ module }) => module))).toEqual(
      new Set(["q_proj", "v_proj"].map((name) => `model.layers.1.self_attn.${name}`)),
    )
  })

  test("killed and taken up again, it ends with the tables of one never killed", async () => {
    let kills = 0
    while (kills < 2) {
      const child = startLora(folder, ...words("killed"))
      const ended = once(child, "exit")
      await stored("killed", ended)
      child.kill("SIGKILL")
      const [, signal] = await ended
      if (signal !== "SIGKILL") break
      kills++
    }
    expect(kills).toBeGreaterThan(0)
    expect((await lora(folder, ...words("killed"))).code).toBe(0)
    for (const name of ["results.csv", "sites.csv"])
      expect(await readFile(join(folder, "killed", name), "utf8")).toBe(
        await readFile(join(folder, "whole", name), "utf8"),
      )
  })

  test("Ctrl-C in the middle of a run ends with 130, what is finished stored", async () => {
    const own = JSON.parse(await readFile(join(folder, "sweep.json"), "utf8"))
    await writeFile(join(folder, "long.json"), JSON.stringify({ ...own, steps: 500 }))
    const child = startLora(folder, "sweep", "long.json", "--store", "long.duckdb")
    let said = ""
    child.stderr!.on("data", (text) => {
      said += text
    })
    const ended = once(child, "exit")
    await stored("long", ended)
    child.kill("SIGINT")
    expect(await ended).toEqual([130, null])
    expect(said).toContain("interrupted; what was finished is kept")
    const { err } = await lora(folder, "sweep", "long.json", "--store", "long.duckdb", "--plan")
    expect(err).toMatch(/runs: 12, ([1-9]|1[01]) finished already/)
  })

  test("an array of tasks on this machine has the tables of the whole", async () => {
    const array = ["launch", "local", "sweep.json", "--array", "2", "--store", "array.duckdb", "--out", "array"]
    const { code, err } = await lora(folder, ...array)
    expect(code, err).toBe(0)
    expect(err).toContain("2 of 2 tasks have runs to do")
    for (const name of ["results.csv", "sites.csv"])
      expect(await readFile(join(folder, "array", name), "utf8")).toBe(
        await readFile(join(folder, "whole", name), "utf8"),
      )
  })

  test("shards put together are the whole", async () => {
    for (const [name, shard] of [
      ["a", "1/2"],
      ["b", "2/2"],
    ] as const)
      expect((await lora(folder, ...words(name).slice(0, 4), "--workers", "1", "--shard", shard)).code).toBe(0)
    await lora(folder, "merge", "a.duckdb", "b.duckdb", "--store", "merged.duckdb")
    const merged = await lora(folder, ...words("merged"))
    expect(merged.err).toContain("12 finished already; 0 to do")
    expect(await readFile(join(folder, "merged", "results.csv"), "utf8")).toBe(
      await readFile(join(folder, "whole", "results.csv"), "utf8"),
    )
  })

  test("an engine that an option names is refused: the file has it", async () => {
    const { code, err } = await lora(folder, ...words("whole"), "--backend", "graph")
    expect([code, err]).toEqual([2, expect.stringContaining("--backend")])
  })
})

/** Resolves once a run is stored, or the process has ended. */
async function stored(store: string, ended: Promise<unknown>): Promise<void> {
  let over = false
  ended.then(() => {
    over = true
  })
  const length = () =>
    stat(join(folder, `${store}.duckdb.journal.wal`)).then(
      ({ size }) => size,
      () => 0,
    )
  const before = await length()
  while (!over && (await length()) <= before) await new Promise((resolve) => setTimeout(resolve, 5))
}
