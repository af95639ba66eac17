import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { afterAll, beforeAll, expect, test } from "vitest"
import { schemeNamed } from "../../src/scheme/catalogue.js"
import { openStore } from "../../src/sweep/store.js"
import { createPool } from "../../src/train/pool.js"
import { USUAL } from "../../verify/compare/budget.js"
import { settingName } from "../../verify/compare/setting.js"
import type { Effort } from "../../verify/experiment.js"
import { reproduce, reproductionTasks } from "../../verify/reproduce.js"
import { theoryExperiment } from "../../verify/theory/theorySection.js"

const small = { ...USUAL, widths: [64, 128, 256, 512, 1024, 2048], seeds: 4, firstSeed: 0 }
const sign = (name: string) => ({ ...schemeNamed(name), optimiser: "sign" as const })
/** Two steps of sign descent on a squared loss undo each other: a contradiction with a known cause. */
const FLIPPED = { definition: { ...sign("init-a"), loss: "squared" as const }, values: { c: "-1/4" } }
const experiment = theoryExperiment(
  [{ definition: sign("init-a"), values: { c: "-1/2" } }, { definition: sign("init-b"), values: { c: "-1" } }, FLIPPED],
  { quick: small, full: small },
)

let place: string
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "reproduce-"))
})
afterAll(() => rm(place, { recursive: true }))

async function reproduced(out: string, effort: Effort = { size: "quick", seeds: 1 }) {
  const store = await openStore(join(place, "runs.duckdb"), {})
  let ticks = 0
  const reproduction = { effort, experiments: [experiment], partial: true, out: join(place, out) }
  const options = { pool: createPool(0), store, onFinished: () => ticks++ }
  const before = store.finished.size
  const summary = await reproduce(reproduction, options)
  const added = store.finished.size - before
  await store.close()
  expect(ticks).toBe(reproductionTasks(reproduction))
  return { summary, added }
}

async function files(out: string, under: string): Promise<Record<string, string>> {
  const folder = join(place, out, under)
  const names = (await readdir(folder)).sort()
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "base64")] as const)),
  )
}

test("the same store gives the same numbers, figures and findings, and no run twice", async () => {
  const first = await reproduced("one")
  const second = await reproduced("two")
  expect(first.added).toBeGreaterThan(0)
  expect(second.added).toBe(0)
  for (const under of ["data", "figures"]) {
    const [one, two] = [await files("one", under), await files("two", under)]
    expect(Object.keys(one).length).toBeGreaterThan(2)
    expect(two).toEqual(one)
  }
  expect(second.summary.sections[0]!.findings).toEqual(first.summary.sections[0]!.findings)
  expect(
    JSON.parse(await readFile(join(place, "two", "environment.json"), "utf8")).spent["theory-setting"],
  ).toMatchObject({
    runs: 3 * small.widths.length,
    seeds: "0…3",
  })
})

test("a contradiction has its cause beside it", async () => {
  const { summary } = await reproduced("three")
  const wrong = summary.sections[0]!.findings.filter(({ verdict }) => verdict === "contradicts")
  expect(wrong.length).toBeGreaterThan(0)
  for (const { claim, why } of wrong) {
    expect(claim.startsWith(settingName(FLIPPED))).toBe(true)
    expect(why).toContain("sign flip")
  }
})

test("a budget multiplies the seeds and is said in the document and with every number", async () => {
  await reproduced("more", { size: "quick", seeds: 2 })
  const md = await readFile(join(place, "more", "report.md"), "utf8")
  expect(md).toContain("**A quick run** (`lora-scaling reproduce --quick --budget 2`)")
  expect(md).toContain("2 times the seeds")
  const sizes: string[][] = parse(await readFile(join(place, "more", "data", "theory-setting-sizes.csv"), "utf8"))
  expect(new Set(sizes.slice(1).map((row) => row[4]))).toEqual(new Set(["8"]))
  const commands: string[][] = parse(await readFile(join(place, "more", "data", "commands.csv"), "utf8"))
  expect(commands[1]).toEqual([
    "theory-setting-claims.csv",
    "lora-scaling reproduce --quick --budget 2 --only theory-setting",
  ])
})
