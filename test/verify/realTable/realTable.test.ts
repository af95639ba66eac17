import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type RealTableSource, readRealTable, realTable } from "../../../verify/realTable/realTable.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "real-"))
})
afterAll(() => rm(folder, { recursive: true }))

/** The table, read by its columns. */
const source = (path: string): RealTableSource => ({
  path,
  reading: {
    columns: {
      width: "hidden_size",
      rate: "learning_rate",
      value: "test_nll",
      seed: "seed",
      by: ["rank"],
      model: "model",
    },
    rules: { at: "last", goal: "min", words: {} },
  },
  rules: { family: "^(?:[^/]+/)?([A-Za-z]+)", share: 0.02, goal: "min" },
})

/** Two families of six widths whose optima follow n^-1/2, n^0 and r^1/4, some beyond the grid. */
async function table(): Promise<string> {
  const rows = [512, 1024, 2048, 4096, 8192, 16384].flatMap((n, i) =>
    [
      ["one/Alpha", -0.5],
      ["two/Beta", 0],
    ].flatMap(([name, exponent]) =>
      [1, 4, 16].flatMap((rank) =>
        [1e-5, 3e-5, 1e-4, 3e-4, 1e-3].map((rate) => {
          const optimum = 2e-4 * (n / 4096) ** Number(exponent) * rank ** 0.25 * Math.exp(0.1 * Math.sin(5 * i))
          return `${name}-${n},${n},${rank},${rate},${1 + 0.004 * Math.log(rate / optimum) ** 2}`
        }),
      ),
    ),
  )
  const path = join(folder, "table.csv")
  await writeFile(path, `model,hidden_size,rank,learning_rate,test_nll\n${rows.join("\n")}\n`)
  return path
}

test("slopes by family with minima beyond the grid censored, and against rank within models", async () => {
  const { byFamily, againstRank } = await readRealTable(source(await table()))
  const named = (group: string) => byFamily.fits.find((fit) => fit.group === group)!
  for (const [group, exponent] of [
    ["Alpha / 16", -0.5],
    ["Beta / 4", 0],
  ] as const) {
    const { low, high } = named(group)
    expect(low!).toBeLessThan(exponent)
    expect(high!).toBeGreaterThan(exponent)
    expect(high! - low!).toBeLessThan(0.5)
  }
  expect(named("Alpha / 16").censored).toBeGreaterThan(0)
  for (const { exponent } of againstRank.fits) expect(exponent!).toBeCloseTo(0.25, 2)
})

test("the section has every number and judges nothing; without a table it says how to give one", async () => {
  const options = { pool: null, store: null } as never
  const section = await realTable(source(await table())).run({ size: "quick", seeds: 1 }, options)
  expect(section.findings.length).toBeGreaterThan(0)
  expect(section.findings.every(({ verdict, why }) => verdict === "inconclusive" && why !== null)).toBe(true)
  expect(section.data["real-table-curves"]!.rows).toHaveLength(36)
  const none = await realTable(null).run({ size: "quick", seeds: 1 }, options)
  expect(JSON.stringify(none.parts)).toContain("reproduce --table")
})
