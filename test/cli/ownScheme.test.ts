import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { lora } from "./lora.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "own-"))
  await mkdir(join(folder, "schemes"))
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text)
})
afterAll(() => rm(folder, { recursive: true }))

/**
 * A random with entries n^(-1/2), B zero, B n^(1/2) times as fast as A: by hand, 2c + 1/2 + 1 <= 0 and c + 1/2 <= 0.
 */
const YAML = `# a ratio that grows with the width
start: { A: { exponent: -1/2 }, B: zero }
rates: { A: c, B: c + 0.5 }
optimizer: AdamW
example: { c: -3/4 }
`
const TYPED = `import type { SchemeDefinition } from "lora-scaling"
import { rates } from "./rates.js"
const start = { A: { exponent: "-1/2" }, B: "zero" } as const
export default { name: "typed", title: "typed", start, rates } satisfies SchemeDefinition
`
const FILES = {
  "growing.yaml": YAML,
  "growing.json": JSON.stringify({
    name: "growing",
    start: { A: { exponent: "-1/2" }, B: "zero" },
    rates: { A: "c", B: "c + 1/2" },
  }),
  "typed.ts": TYPED,
  "rates.ts": `interface Pair { A: string; B: string }\nexport const rates: Pair = { A: "c", B: "c + 1/2" }\n`,
  "several.mts": `import { schemeNamed } from "lora-scaling"
export const slow = { ...schemeNamed("pissa"), name: "slow" }
export const wrong = { ...schemeNamed("pissa"), nmae: "wrong" }
`,
  "plain.js": `export default { name: "plain", title: "", start: { A: { exponent: "-1/2" }, B: "zero" }, rates: { A: "c", B: "c + 1/2" } }`,
  "nothing.ts": `console.error("no scheme here")`,
  "broken.ts": `export default {`,
  "broken.yaml": "start: { A: zero",
  "twice.yaml": `${YAML}rates: { A: c, B: c }\n`,
  "taken.yaml": `name: init-a\n${YAML}`,
  "typo.yaml": `${YAML}clipping: 0\n`,
  "sweep.yaml": `experiment: theory
schemes: [schemes/far.yaml, { scheme: schemes/far.yaml, set: { c: -1 } }]
widths: [8, 16]
seeds: 1
steps: 2
`,
  "schemes/far.yaml": YAML,
  "wrong.yaml": "experiment: theory\nschemes: [init-a]\nwidths: [8]\nseeds: 0\nsteps: 2\n",
  "lost.yaml": "experiment: theory\nschemes: [schemes/none.yaml]\nwidths: [8]\nseeds: 1\nsteps: 2\n",
}

describe("a file wherever a scheme's name stands", () => {
  test.each(["growing.yaml", "growing.json", "typed.ts", "plain.js"])("derive %s", async (file) => {
    const { code, out } = await lora(folder, "derive", file, "--json")
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ stable: "c <= -3/4", optimiser: "adam" })
  })

  test("the name of a YAML file is the scheme's where it gives none", async () => {
    expect(JSON.parse((await lora(folder, "derive", "growing.yaml", "--json")).out).scheme).toBe("growing")
  })

  test("one of several exports, made of a scheme of the catalogue", async () => {
    const { code, out } = await lora(folder, "derive", "several.mts#slow", "--set", "sigma=0", "--set", "k=0", "--json")
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ scheme: "slow", stable: "c <= -1/2" })
  })

  test("train, prove, transfer and check", async () => {
    const trained = await lora(folder, "train", "growing.yaml", "--width", "16", "--set", "c=-1", "--json")
    expect(JSON.parse(trained.out).definition.rates).toEqual({ A: "c", B: "c + 0.5" })
    const proof = await lora(
      folder,
      "prove",
      "--scheme",
      "growing.yaml",
      "--checker",
      "kernel",
      "stable for all t iff c <= -3/4",
    )
    expect(proof.code).toBe(0)
    const moved = await lora(
      folder,
      "transfer",
      "--scheme",
      "growing.yaml",
      "--lr",
      "1",
      "--from-width",
      "16",
      "--to-width",
      "256",
      "--json",
    )
    expect(JSON.parse(moved.out).bound.rate).toBeCloseTo(1 / 8, 9)
    const claims = JSON.parse((await lora(folder, "check", "growing.yaml", "--seeds", "8", "--json")).out).claims
    expect(claims.some(({ verdict }: { verdict: string }) => verdict === "agrees")).toBe(true)
    expect(claims.some(({ verdict }: { verdict: string }) => verdict === "contradicts")).toBe(false)
  }, 60_000)

  test("a sweep reads it from beside its own file", async () => {
    const { code } = await lora(folder, "sweep", "sweep.yaml", "--store", "far.duckdb", "--out", "far.csv")
    expect(code).toBe(0)
    const rows = (await readFile(join(folder, "far.csv"), "utf8")).trim().split("\n").slice(1)
    expect(rows.length).toBeGreaterThan(0)
    expect(rows.every((row) => row.includes("far"))).toBe(true)
  })

  test("the example", async () => {
    const example = fileURLToPath(new URL("../../examples/ownScheme.yaml", import.meta.url))
    expect((await lora(folder, "derive", example)).code).toBe(0)
  })
})

test.each([
  ["nowhere.yaml", "ENOENT"],
  ["nowhere.ts", "ENOENT"],
  ["./schemes/none", ".yaml, .json, .ts or .js file"],
  ["nothing.ts", "exports a scheme's definition"],
  ["broken.ts", "a file that runs"],
  ["broken.yaml", "YAML or JSON"],
  ["twice.yaml", "unique"],
  ["taken.yaml", "my-init-a"],
  ["typo.yaml", "typo.yaml:6: typo.clipping: got 0, did you mean clip?"],
  ["several.mts", "slow, wrong"],
  ["several.mts#slw", "did you mean slow?"],
  ["several.mts#wrong", "did you mean name?"],
])("%s is refused: %s", async (file, says) => {
  const { code, out, err } = await lora(folder, "derive", file)
  expect([code, out]).toEqual([2, ""])
  expect(err).toContain(says)
  expect(err).not.toMatch(/\n\s+at /)
})

test("a sweep's file that is not there names the field", async () => {
  const { code, err } = await lora(folder, "sweep", "lost.yaml", "--store", "lost.duckdb")
  expect(code).toBe(2)
  expect(err).toContain("schemes[0]")
})

test("a mistake in a sweep's file names the line", async () => {
  const { code, err } = await lora(folder, "sweep", "wrong.yaml", "--store", "wrong.duckdb")
  expect(code).toBe(2)
  expect(err).toContain("wrong.yaml:4: seeds: got 0")
})

test("--optimizer is --optimiser", async () => {
  const derived = async (...words: string[]) => (await lora(folder, "derive", "lora", ...words, "--json")).out
  expect(await derived("--optimizer", "SGD")).toBe(await derived("--optimiser", "sgd"))
})
