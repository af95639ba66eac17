import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { realFamily } from "../../../verify/realFamily/realFamily.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "family-"))
})
afterAll(() => rm(folder, { recursive: true }))

const WIDTHS = [64, 128, 256, 512]
const RATES = Array.from({ length: 13 }, (_, i) => 1e-5 * 10 ** (i / 2.5))

/** Tables of a sweep in which |Z_B| is 1 at the rate n^power, and the perplexity least at a third of that. */
async function write(power: Readonly<Record<string, number>>, models: readonly number[] = [1, 1, 1, 1]): Promise<void> {
  const runs = [
    "scheme,width,seed,rate,rate_b,steps,checkpoint,training_loss,version,computed_by,outcome,outcome_step,perplexity",
  ]
  const sites = ["scheme,width,seed,rate,step,module,kind,quantity,value"]
  for (const [scheme, exponent] of Object.entries(power))
    for (const width of WIDTHS)
      for (const seed of [1, 2])
        for (const rate of RATES) {
          const scatter = 1 + 0.002 * Math.sin(7 * seed + width * width)
          const largest = scatter * models[WIDTHS.indexOf(width)]! * width ** exponent
          const perplexity = 10 + Math.log(rate / (largest / 3)) ** 2
          runs.push(`${scheme},${width},${seed},${rate},${rate},20,x,2,0,made up,finished,,${perplexity}`)
          for (const kind of ["q_proj", "v_proj"])
            for (const step of [1, 2])
              sites.push(`${scheme},${width},${seed},${rate},${step},layers.0.${kind},${kind},zB,${rate / largest}`)
        }
  await writeFile(join(folder, "results.csv"), `${runs.join("\n")}\n`)
  await writeFile(join(folder, "sites.csv"), `${sites.join("\n")}\n`)
}

const section = () => realFamily(folder).run({ size: "quick", seeds: 1 }, {} as never)

test("thresholds that move as derived agree, others contradict; slopes of optimum, edge and threshold are told", async () => {
  await write({ "init-a": -0.5, "init-b": -0.5, "lora-plus": -1 })
  const { findings, data, answer, parts } = await section()
  expect(findings.map(({ verdict, why }) => [verdict, why])).toEqual([
    ["agrees", null],
    // At every width alike: no cause is named.
    ["contradicts", null],
    ["agrees", null],
  ])
  for (const { claim } of findings) expect(claim).toMatch(/95 %/)
  const { columns, rows } = data["real-family-bounds"]!
  const at = (row: number, name: string) => Number(rows[row]![columns.indexOf(name)])
  expect([0, 1, 2].map((row) => at(row, "derived bound"))).toEqual([-0.5, -1, -1])
  for (const name of ["|Z_B| ≤ 1", "optimum", "edge"])
    for (const [row, slope] of [-0.5, -0.5, -1].entries()) expect(at(row, name), name).toBeCloseTo(slope, 1)
  expect(answer!.text).toContain("init-b: the rate of least perplexity has the slope -0.5")
  expect(parts.filter(({ kind }) => kind === "figure").length).toBeGreaterThan(2)
  const text = parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n")
  expect(text).toContain("What it cannot")
})

test("models that lie off a line are named as the cause of a slope that their seeds alone contradict", async () => {
  await write({ "lora-plus": -1.05 }, [1, 0.9, 1.1, 0.97])
  const { findings } = await section()
  expect(findings[0]).toMatchObject({
    verdict: "contradicts",
    why: expect.stringMatching(/one pretrained model.*\d times as far/),
  })
  // A slope that their scatter excludes too is contradicted without a cause.
  await write({ "lora-plus": -1.8 }, [1, 0.9, 1.1, 0.97])
  expect((await section()).findings[0]).toMatchObject({ verdict: "contradicts", why: null })
})

test("without tables the section says how to make them", async () => {
  const { answer, parts, findings } = await realFamily(null).run({ size: "quick", seeds: 1 }, {} as never)
  expect([answer!.text, findings]).toEqual(["Nothing: no tables were given.", []])
  expect(parts[0]).toMatchObject({ kind: "text", text: expect.stringContaining("npm run family") })
})
