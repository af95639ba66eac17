import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { realModel } from "../../../verify/realModel/realModel.js"
import { DECODER, ENCODER, keptTables, type Subject } from "../../../verify/realModel/subjects.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "real-"))
})
afterAll(() => rm(folder, { recursive: true }))

const RATES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
const METRICS = ["perplexity", "accuracy", "exact_match"]

/** What a made-up table says of a scheme. */
interface Made {
  /** Its best rate by training loss, by seed; the metric is best there too. */
  readonly best: readonly number[]
  /** The least training loss. */
  readonly least: number
  /** |Z_A| at the last step, at every layer. */
  readonly zA: number
}

/** Writes the tables of a sweep; at the largest rate runs have diverged. */
async function write(sub: string, metric: string, kinds: readonly string[], made: Readonly<Record<string, Made>>) {
  const into = join(folder, sub)
  await mkdir(into, { recursive: true })
  const runs = [`scheme,width,seed,rate,steps,computed_by,training_loss,${METRICS.join(",")}`]
  const sites = ["scheme,width,seed,rate,step,module,kind,quantity,value"]
  for (const [scheme, { best, least, zA }] of Object.entries(made))
    for (const [i, own] of best.entries())
      for (const rate of RATES) {
        const off = Math.log(rate / own) ** 2
        const good = metric === "perplexity" ? Math.exp(least + off) : 0.9 - 0.01 * off
        const cells = METRICS.map((name) => (name === metric && rate < 0.1 ? good : ""))
        // A scatter that the seeds of both schemes share.
        runs.push(
          `${scheme},384,${i + 1},${rate},30,made up,${rate < 0.1 ? least + 0.1 * i + off : ""},${cells.join(",")}`,
        )
        for (const kind of kinds)
          for (const layer of [0, 1])
            for (const [step, part] of [
              [0, 0.5],
              [1, 0.5],
              [30, 1],
            ] as const)
              sites.push(
                `${scheme},384,${i + 1},${rate},${step},${layer}.${kind},${kind},zA,${part * zA * (1 + 0.01 * i)}`,
              )
      }
  await writeFile(join(into, "results.csv"), `${runs.join("\n")}\n`)
  await writeFile(join(into, "sites.csv"), `${sites.join("\n")}\n`)
}

const section = (subject: Subject) => realModel(subject, folder).run({ size: "quick", seeds: 1 }, {} as never)
const SITES = ["query", "value"]
const spread = (rate: number) => [0.95 * rate, rate, 1.05 * rate]

test("of two starts it is told which has the larger best rate, which is better there, and which moves Z_A more", async () => {
  await write("", "accuracy", SITES, {
    "init-a": { best: spread(3e-3), least: 0.2, zA: 6 },
    "init-b": { best: spread(3e-4), least: 0.5, zA: 2 },
  })
  const { answer, findings, data, parts } = await section(ENCODER)
  // One width has no exponent: nothing is judged.
  expect(findings).toEqual([])
  const cell = (table: string, row: number, name: string) => {
    const { columns, rows } = data[table]!
    return rows[row]![columns.indexOf(name)]
  }
  const starts = (name: string) => cell("real-encoder-starts", 0, name)
  // The parabola through a parabola's points finds its minimum.
  expect(Number(starts("ratio of best rates"))).toBeCloseTo(10, 6)
  // By the theory n^(-1/2) beside n^(-1).
  expect([starts("derived bounds"), starts("reads")]).toEqual(["n^(-1/2) / n^(-1)", "as derived"])
  // Grid points are as far from both best rates: what differs is the least loss, alike in all seeds.
  expect(Number(starts("difference of least values"))).toBeCloseTo(-0.3, 6)
  expect(starts("better")).toBe("init-a")
  expect(cell("real-encoder-rates", 0, "best rate")).toBe("0.00300")
  expect(cell("real-encoder-rates", 0, "seeds")).toBe(3)
  // The last step at the layers of query: twice three steps of two kinds.
  const row = data["real-encoder-sizes"]!.rows.findIndex(([size, , step]) => size === "zA" && step === 30)
  const sizes = (name: string) => cell("real-encoder-sizes", row, name)
  expect([sizes("ratio"), sizes("derived"), sizes("reads")]).toEqual(["3.00", "n^(1/2) / n^(0)", "as derived"])
  expect(answer!.text).toContain(
    "|Z_A| of value after step 30 is 3.0 times as large under init-a as under init-b (as derived)",
  )
  expect(answer!.text).toContain("init-a is better there")
  const text = parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n")
  expect(text).toContain("30 runs by made up: init-a, init-b at n = 384")
  expect(text).toContain("6 diverged")
  expect(text).toContain("What this cannot say")
  expect(text).toContain("how well MiniLM finds spam is not said")
})

test("what goes the other way is said, and what the seeds do not decide", async () => {
  await write("", "accuracy", SITES, {
    "init-a": { best: spread(3e-4), least: 0.5, zA: 2 },
    "init-b": { best: spread(3e-3), least: 0.5, zA: 2 },
  })
  const other = await section(ENCODER)
  const reads = (of: typeof other) => of.data["real-encoder-starts"]!.rows.map((row) => [row[5], row[8]])
  expect(reads(other)[0]).toEqual(["the other way", "undecided"])
  await write("", "accuracy", SITES, {
    "init-a": { best: [1e-4, 1e-3, 1e-2], least: 0.5, zA: 2 },
    "init-b": { best: [1e-2, 1e-3, 1e-3], least: 0.5, zA: 2 },
  })
  expect(reads(await section(ENCODER))[0]).toEqual(["undecided", "undecided"])
})

test("a best rate at an end of the grid is not compared, nor one where all runs are alike", async () => {
  await write("", "accuracy", SITES, {
    "init-a": { best: spread(0.5), least: 0.2, zA: 6 },
    "init-b": { best: spread(3e-4), least: 0.5, zA: 2 },
  })
  // At the largest rate of the table's runs have diverged: what is left is a grid that ends below the best rate.
  const path = join(folder, "results.csv")
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => !/,0\.1,30,/.test(line))
  const alike = lines.map((line, i) =>
    i === 0 || line === "" ? line : `${line.split(",").slice(0, 8).join(",")},0.5,`,
  )
  await writeFile(path, alike.join("\n"))
  const { answer, data } = await section(ENCODER)
  expect(answer!.text).toContain("by training loss the best rate of init-a may lie beyond the grid, and init-b")
  expect(answer!.text).toContain("by 1 − accuracy all runs are alike, at 0.5")
  const [loss, metric] = data["real-encoder-starts"]!.rows
  expect([loss![2], loss![3], metric![2], metric![8]]).toEqual([null, null, null, "not told"])
  const best = data["real-encoder-rates"]!.rows
  expect(best[0]!.slice(3, 5)).toEqual([null, 3])
  expect(best[2]).toEqual(["1 − accuracy", "init-a", null, null, null, 0.5, null])
})

test("a subject with two sweeps has both, each judged in its own way", async () => {
  const made = {
    "init-a": { best: spread(3e-3), least: 0.2, zA: 6 },
    "init-b": { best: spread(3e-4), least: 0.5, zA: 2 },
  }
  await write("text", "perplexity", ["q_proj", "v_proj"], made)
  await write("arithmetic", "exact_match", ["q_proj", "v_proj"], made)
  const { answer, data, parts } = await section(DECODER)
  expect(Object.keys(data)).toHaveLength(6)
  expect(data["real-decoder-rates"]!.rows[2]![0]).toBe("perplexity")
  expect(data["real-decoder-rates-2"]!.rows[2]![0]).toBe("1 − exact match")
  expect(Number(data["real-decoder-rates-2"]!.rows[2]![5])).toBeCloseTo(0.1, 1)
  expect(answer!.text).toContain("Generated arithmetic: by training loss")
  expect(parts.filter(({ kind }) => kind === "figure")).toHaveLength(2)
})

test("a table without a metric is refused, and one with two", async () => {
  const head = "scheme,width,seed,rate,steps,computed_by,training_loss,perplexity,accuracy"
  for (const values of [",", "3,0.5"]) {
    await writeFile(join(folder, "results.csv"), `${head}\ninit-a,384,1,0.1,3,made up,1,${values}\n`)
    await expect(section(ENCODER)).rejects.toMatchObject({ field: join(folder, "results.csv") })
  }
})

test.each([ENCODER, DECODER])("the kept tables of $id are read", async (subject) => {
  const kept = keptTables(subject)
  expect(kept).not.toBeNull()
  const { answer, data } = await realModel(subject, kept).run({ size: "quick", seeds: 1 }, {} as never)
  expect(answer!.text).toContain("|Z_A| of")
  for (const { rows } of Object.values(data)) expect(rows.length).toBeGreaterThan(0)
})

test.each([ENCODER, DECODER])("without tables the section $id says how to make them", async (subject) => {
  const { answer, parts, findings } = await realModel(subject, null).run({ size: "quick", seeds: 1 }, {} as never)
  expect([answer!.text, findings]).toEqual(["Nothing: no tables were given.", []])
  expect(parts[0]).toMatchObject({ text: expect.stringMatching(/npm run models[\s\S]*reproduce --real-/) })
})
