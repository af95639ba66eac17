import { once } from "node:events"
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parse } from "csv-parse/sync"
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { openStore } from "../../src/sweep/store.js"
import { records } from "../table/records.js"
import { lora, startLora } from "./lora.js"

const examples = fileURLToPath(new URL("../../examples/", import.meta.url))
let all: string
let folder: string
beforeAll(async () => {
  all = await mkdtemp(join(tmpdir(), "sweep-"))
})
beforeEach(async () => {
  folder = await mkdtemp(join(all, "case-"))
})
afterAll(() => rm(all, { recursive: true }))

/** Many short runs: each is a few milliseconds. */
const SHORT = { experiment: "theory", schemes: ["init-a", "init-b"], widths: [8, 16], seeds: 400, steps: 2 }
const write = (name: string, config: unknown) => writeFile(join(folder, name), JSON.stringify(config))
const csv = async (name: string): Promise<Record<string, string>[]> =>
  parse(await readFile(join(folder, name), "utf8"), { columns: true })

describe("the theory's setting", () => {
  test("is planned, run, written as a table, and read by fit", async () => {
    const words = ["sweep", join(examples, "theory.yaml"), "--store", "runs.duckdb"]
    const planned = await lora(folder, ...words, "--plan")
    expect([planned.code, planned.out]).toEqual([0, ""])
    const config = words.slice(0, words.indexOf("--store"))
    expect(await lora(folder, ...config, "--plan")).toEqual(planned)
    expect(await lora(folder, ...config)).toMatchObject({ code: 2, err: expect.stringContaining("--store") })
    expect(planned.err).toMatch(/runs: 192, 0 finished already; 192 to do\nmemory: at most \d+ MiB .*\nwork: about /)
    expect(await readdir(folder)).toEqual([])

    const { code, out, err } = await lora(folder, ...words, "--out", "table", "--json")
    expect(code, err).toBe(0)
    const files = ["table/results.parquet", "table/results.csv"]
    const value = {
      schema: "lora-scaling/sweep/1",
      store: "runs.duckdb",
      runs: 192,
      outcomes: { finished: 192 },
      files,
    }
    expect(JSON.parse(out)).toEqual(value)
    expect((await readdir(folder)).sort()).toEqual(["runs.duckdb", "table"])

    const rows = await csv("table/results.csv")
    expect(new Set(rows.map(({ id, step, quantity }) => `${id} ${step} ${quantity}`)).size).toBe(rows.length)
    expect(new Set(rows.map(({ id }) => id)).size).toBe(192)
    const [row] = rows
    expect(row).toMatchObject({ precision: "float64", backend: "reference", outcome: "finished", seed: "1" })
    expect(row).toMatchObject({ computed_by: "fused float64", failed: "" })
    const numbers = (row: Record<string, string>) => {
      const { value, loss, ...rest } = Object.fromEntries(Object.entries(row).filter(([, text]) => text !== ""))
      return [rest, Number(value), Number(loss)]
    }
    expect((await records(join(folder, "table/results.parquet"))).map(numbers)).toEqual(rows.map(numbers))
    expect((await records(join(folder, "runs.duckdb"))).map(numbers)).toEqual(rows.map(numbers))

    // Init[A] at c = -1/2 has Z_A at 1/2, LoRA+ at (-1, 0) at 0: theory's table, section 3.
    const fit = ["--width", "width", "--value", "value", "--by", "quantity"]
    const one = await lora(folder, "fit", "table/results.csv", ...fit)
    expect(one.code).toBe(2)
    expect(one.err).toContain("these differ in column")
    for (const file of ["table/results.csv", "table/results.parquet", "runs.duckdb"]) {
      const { fits } = JSON.parse((await lora(folder, "fit", file, ...fit, "scheme", "point", "--json")).out)
      const found = (group: string) => fits.find((candidate: { group: string }) => candidate.group === group)
      expect(found("zA / init-a / c=-1/2").exponent).toBeCloseTo(0.5, 1)
      expect(found("zA / lora-plus / cA=-1 cB=0").exponent).toBeCloseTo(0, 1)
      expect(found("zA / init-a / c=-1/2").flags).toEqual([])
    }

    const again = await lora(folder, ...words)
    expect(again.err).toContain("192 finished already; 0 to do")
  })

  test("a run that leaves the finite numbers is a result", async () => {
    await write("far.json", { ...SHORT, schemes: [{ scheme: "sgd-init-a", set: { c: "60" } }], seeds: 2, steps: 8 })
    const { code, out } = await lora(folder, "sweep", "far.json", "--store", "runs.duckdb", "--out", "far.csv")
    expect(code).toBe(0)
    expect(out).toContain("4 runs, 4 diverged")
    const rows = await csv("far.csv")
    expect(rows.every(({ outcome, outcome_step }) => outcome === "diverged" && Number(outcome_step) > 1)).toBe(true)
    expect(rows.some(({ value }) => !Number.isFinite(Number(value)))).toBe(true)
    const { fits } = JSON.parse((await lora(folder, "fit", "far.csv", "--by", "quantity", "--json")).out)
    expect(fits.find(({ group }: { group: string }) => group === "zB").flags).toContain("diverged runs")
  })
})

test("the teacher-student experiment, refined around its minima, and the rate's exponent", async () => {
  const words = ["sweep", join(examples, "teacherStudent.yaml"), "--store", "runs.duckdb", "--out", "rates.csv"]
  const { code, err } = await lora(folder, ...words)
  expect(code, err).toBe(0)
  expect(err).toContain("runs: 96, 0 finished already; 96 to do, and at most 96 more around the minima")
  const rows = await csv("rates.csv")
  const rates = new Map<string, Set<string>>()
  for (const { scheme, width, seed, rate } of rows) {
    const key = `${scheme} ${width} ${seed}`
    rates.set(key, (rates.get(key) ?? new Set()).add(rate!))
  }
  expect(rates.size).toBe(2 * 4 * 3)
  expect(rows[0]).toMatchObject({
    activations: "float32",
    computed_by: expect.stringMatching(/^cpu float32/),
    failed: "",
  })
  for (const found of rates.values()) expect(found.size).toBeGreaterThan(4)
  const fit = ["fit", "runs.duckdb", "--rate", "rate", "--loss", "loss", "--by", "scheme", "--json"]
  const { fits } = JSON.parse((await lora(folder, ...fit)).out)
  for (const { exponent } of fits) expect(exponent).toBeLessThan(0)

  const before = await readFile(join(folder, "rates.csv"), "utf8")
  const again = await lora(folder, ...words)
  expect(again.err).toContain("finished already; 0 to do")
  expect(await readFile(join(folder, "rates.csv"), "utf8")).toBe(before)
})

test("a scheme that no kernel trains is interpreted on the same data, and said to be", async () => {
  const config = { experiment: "teacher-student", schemes: ["init-a", "sgd-init-a"], widths: [16], rates: [1e-3] }
  await write("mixed.json", { ...config, seeds: 2, steps: 3, samples: 8 })
  const { code, err } = await lora(folder, "sweep", "mixed.json", "--store", "mixed.duckdb", "--out", "mixed.csv")
  expect(code, err).toBe(0)
  expect(err).toContain("no kernel trains sgd-init-a: the reference interpreter does, in float64")
  const rows = await csv("mixed.csv")
  const by = (name: string) => rows.filter(({ scheme }) => scheme === name)
  expect(by("init-a").map(({ computed_by }) => computed_by)).toEqual([1, 2].map(() => expect.stringMatching(/^cpu/)))
  expect(by("sgd-init-a").map(({ computed_by }) => computed_by)).toEqual(["reference float64", "reference float64"])
  for (const { outcome, loss } of rows) expect([outcome, Number.isFinite(Number(loss))]).toEqual(["finished", true])
})

test("killed 20 times at random moments, a sweep ends with the table of one never killed", async () => {
  await write("short.json", SHORT)
  const words = (store: string) => ["sweep", "short.json", "--store", store, "--out", `${store}.csv`]
  const start = performance.now()
  const whole = startLora(folder, ...words("whole"))
  const done = once(whole, "exit")
  await stores(done, "whole", 0)
  const begun = performance.now() - start
  expect(await done).toEqual([0, null])
  const work = performance.now() - start - begun

  const table = await readFile(join(folder, "whole.csv"), "utf8")
  const generator = xoroshiro128plus(20260806)
  const random = () => (generator.next() >>> 0) / 2 ** 32
  let [kills, kept, round] = [0, 0, 0]
  /** A sweep that is killed over and over; one that ends all the same on a fast machine makes room for the next. */
  const killedSweep = async (name: string) => {
    const stored = new Map<string, string>()
    const compare = async () => {
      const found = await copiedRows(name)
      for (const [id, row] of stored) expect(found.get(id)).toBe(row) // nothing lost, nothing done again: seconds too
      for (const [id, row] of found) stored.set(id, row)
    }
    while (kills < 20) {
      const before = await logLength(name)
      const child = startLora(folder, ...words(name))
      const ended = once(child, "exit")
      // Any moment from the start on; every third time one after something was stored. All of it leaves some for the
      // end.
      if (kills % 3 === 0) await stores(ended, name, before)
      await Promise.race([ended, pause(random() * (kills % 3 === 0 ? work / 40 : 1.5 * begun))])
      child.kill("SIGKILL")
      const [, signal] = await ended
      if (signal !== "SIGKILL") break
      kills++
      if (kills % 4 > 0) continue
      await compare()
      kept = Math.max(kept, stored.size)
    }
    expect((await lora(folder, ...words(name))).code).toBe(0)
    await compare()
    expect(stored.size).toBe(1600)
    expect(await readFile(join(folder, `${name}.csv`), "utf8")).toBe(table)
  }
  while (kills < 20) await killedSweep(`killed${round++}`)
  expect(kept).toBeGreaterThan(0)
}, 300_000)

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const logLength = (name: string) =>
  stat(join(folder, `${name}.journal.wal`)).then(
    ({ size }) => size,
    () => 0,
  )

/** Resolves when the store's log has grown beyond a length, or the process has ended. */
async function stores(ended: Promise<unknown>, name: string, length: number): Promise<void> {
  let over = false
  ended.then(() => {
    over = true
  })
  while (!over && (await logLength(name)) <= length) await pause(5)
}

/** The stored rows by identity, of a copy: reading the store itself would repair what the next start must. */
async function copiedRows(name: string): Promise<Map<string, string>> {
  const place = await mkdtemp(join(folder, "copy-"))
  for (const file of await readdir(folder))
    if (file === name || file.startsWith(`${name}.journal`)) await copyFile(join(folder, file), join(place, file))
  const store = await openStore(join(place, name), {})
  const rows = (await store.connection.runAndReadAll("select id, config, result, seconds from stored")).getRows()
  await store.close()
  return new Map(rows.map((row) => [String(row[0]), JSON.stringify(row)]))
}

test("shards put together are the whole, in any order", async () => {
  await write("short.json", { ...SHORT, seeds: 5 })
  const sweep = (store: string, ...more: string[]) => lora(folder, "sweep", "short.json", "--store", store, ...more)
  await Promise.all([
    sweep("whole.duckdb", "--out", "whole.csv"),
    sweep("a.duckdb", "--shard", "1/2", "--workers", "1"),
    sweep("b.duckdb", "--shard", "2/2", "--workers", "0"),
  ])
  const { code, out } = await lora(folder, "merge", "b.duckdb", "a.duckdb", "a.duckdb", "--store", "all.duckdb")
  expect([code, out]).toEqual([0, "all.duckdb: 20 runs, 20 of them new\n"])
  const merged = await sweep("all.duckdb", "--out", "all.csv")
  expect(merged.err).toContain("20 finished already; 0 to do")
  expect(await readFile(join(folder, "all.csv"), "utf8")).toBe(await readFile(join(folder, "whole.csv"), "utf8"))
})

test("Ctrl-C ends with 130, what is finished stored and no table half written; a second process is refused", async () => {
  await write("short.json", { ...SHORT, seeds: 20000 })
  const words = ["sweep", "short.json", "--store", "runs.duckdb", "--out", "table"]
  const child = startLora(folder, ...words)
  await once(child.stderr!, "data")
  const second = await lora(folder, ...words)
  expect([second.code, second.out]).toEqual([2, ""])
  expect(second.err).toContain(`no other process has open (process ${child.pid} has it)`)
  child.kill("SIGINT")
  expect(await once(child, "exit")).toEqual([130, null])
  expect((await readdir(folder)).sort()).toEqual(["runs.duckdb", "short.json"])
  const store = await openStore(join(folder, "runs.duckdb"), {})
  expect(store.finished.size).toBeGreaterThan(0)
  await store.close()
})

describe("bad input: the field, exit 2, no file left", () => {
  test.each([
    [["sweep", "short.json", "--store", "a.duckdb", "--shard", "3/2"], "--shard"],
    [["sweep", "short.json", "--store", "a.duckdb", "--workers", "-1"], "--workers"],
    [["sweep", "short.json", "--store", "a.duckdb", "--out", "table.xls"], "--out"],
    [["sweep", "short.json", "--store", "short.json"], "--store"],
    [["sweep", "short.json"], "--store"],
    [["sweep", "absent.yaml", "--store", "a.duckdb"], "config"],
    [["sweep", "wide.json", "--store", "a.duckdb", "--workers", "1"], "widths"],
    [["sweep", "typo.yaml", "--store", "a.duckdb"], "schemes[0].sett"],
    [["sweep", "twice.yaml", "--store", "a.duckdb"], "twice.yaml"],
    [["merge", "absent.duckdb", "--store", "short.json"], "--store"],
    [["fit", "absent.duckdb"], "absent.duckdb"],
    [["fit", "absent.parquet"], "absent.parquet"],
  ])("%j", async (words, field) => {
    await write("short.json", { ...SHORT, seeds: 1 })
    await write("wide.json", { ...SHORT, widths: [2 ** 40] })
    await writeFile(
      join(folder, "typo.yaml"),
      "experiment: theory\nschemes:\n  - scheme: init-a\n    sett: { c: -1 }\n",
    )
    await writeFile(join(folder, "twice.yaml"), "experiment: theory\nsteps: 1\nsteps: 2\n")
    const before = await readdir(folder)
    const { code, out, err } = await lora(folder, ...words)
    expect(err).toContain(field)
    expect([code, out]).toEqual([2, ""])
    expect(await readdir(folder)).toEqual(before)
  })
})
