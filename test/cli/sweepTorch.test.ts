import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "csv-parse/sync"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { SMALL_LLAMA, WORDS } from "../checkpoint/randomModel.js"
import { pythonWithTorch } from "../python/venv.js"
import { engineForTests } from "../train/graph/engine.js"
import { SMALL_SWEEP, writeFamily } from "../train/tuning/texts.js"
import { lora, loraIn } from "./lora.js"

const python = await pythonWithTorch()
const engine = await engineForTests()

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "both-"))
  await writeFamily(folder, [32], { ...SMALL_LLAMA, vocab_size: WORDS.length })
})
afterAll(() => rm(folder, { recursive: true }))

/** A grid about the best rate, twice as fine as tens. */
const GRID = { from: 1e-3, to: 1, perDecade: 2 }
const sweep = (engine: string) => ({
  ...SMALL_SWEEP,
  ...{
    checkpoints: ["llama-32"],
    schemes: ["init-a", "init-b"],
    rates: GRID,
    seeds: 1,
    steps: 20,
    engine,
    record: [1],
  },
})

type Rows = readonly Record<string, string>[]

/** The rate of the least perplexity. */
function best(rows: Rows, scheme: string): number {
  const own = rows.filter((row) => row.scheme === scheme && row.outcome === "finished")
  expect(own.length).toBeGreaterThan(3)
  return Number(own.reduce((least, row) => (Number(row.perplexity) < Number(least.perplexity) ? row : least)).rate)
}

describe.skipIf(python === null || engine === null)("one sweep by both engines", () => {
  test("losses and perplexities agree, and so do the best rates, to a step of the grid", async () => {
    const tables: Rows[] = []
    for (const name of ["graph", "torch"]) {
      await writeFile(join(folder, `${name}.json`), JSON.stringify(sweep(name)))
      const words = [`${name}.json`, "--store", `${name}.duckdb`, "--out", name, "--workers", "1"]
      const { code, err } = await loraIn({ folder, env: { LORA_SCALING_PYTHON: python! } }, "sweep", ...words)
      expect(code, err).toBe(0)
      tables.push(parse(await readFile(join(folder, name, "results.csv"), "utf8"), { columns: true }))
    }
    const [own, theirs] = tables as [Rows, Rows]
    expect(theirs[0]!.computed_by).toMatch(/^torch \S+ transformers \S+ peft \S+ /)
    const key = ({ scheme, rate }: Record<string, string>) => `${scheme} ${rate}`
    const found = new Map(theirs.map((row) => [key(row), row]))
    expect([...found.keys()].sort()).toEqual(own.map(key).sort())
    for (const scheme of ["init-a", "init-b"]) {
      // At small rates a run is far from where rounding grows.
      const calm = own.filter((row) => row.scheme === scheme && Number(row.rate) <= 1e-2)
      expect(calm.length).toBeGreaterThan(1)
      for (const row of calm)
        for (const column of ["perplexity", "training_loss"])
          expect(Math.abs(Number(found.get(key(row))![column]) / Number(row[column]) - 1), key(row)).toBeLessThan(1e-4)
      const steps = Math.abs(Math.log10(best(own, scheme) / best(theirs, scheme))) * GRID.perDecade
      expect(Math.round(steps), scheme).toBeLessThanOrEqual(1)
    }
  })

  test("without the engine a sweep ends with 2 and the line that installs it", async () => {
    const env = { LORA_SCALING_PYTHON: "/no/python" }
    const { code, err } = await loraIn({ folder, env }, "sweep", "torch.json", "--store", "none.duckdb")
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/^error: engine: got "torch".*missing python.*requirements\.txt/),
    ])
  })

  test("what only torch has is refused of another engine", async () => {
    await writeFile(join(folder, "wrong.json"), JSON.stringify({ ...sweep("graph"), torch: { processes: 2 } }))
    const { code, err } = await lora(folder, "sweep", "wrong.json", "--store", "wrong.duckdb", "--plan")
    expect([code, err]).toEqual([2, expect.stringMatching(/torch: .*how engine: torch computes/)])
  })
})
