import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, test } from "vitest"
import { lora } from "./lora.js"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "measured-"))
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text)
})
afterAll(() => rm(folder, { recursive: true }))

/** Init[A] under Adam at c = -1/2 after 0, 1, 2, 3 updates (docs/theory.md): zA 0, 0, 1/2, 1/2; zB zero, -1/2, 0, 0. */
const EXPONENTS: Readonly<Record<string, readonly (number | null)[]>> = {
  "layers.0.lora_A": [0, 0, 1 / 2, 1 / 2],
  "layers.0.lora_B": [null, -1 / 2, 0, 0],
  readout: [-1 / 2, 0, 0, 0],
}
/** A frame as mup's `get_coord_data` gives it: an index, no seed, t from 1, recorded before the update. */
function frame(exponents = EXPONENTS, noise = 0.02): string {
  let index = 0
  const scatter = [1, -1, 0.4, -0.4]
  const rows = [64, 128, 256, 512, 1024, 2048].flatMap((width, w) =>
    scatter.flatMap((_, seed) =>
      Object.entries(exponents).flatMap(([module, powers]) =>
        powers.map((power, t) => {
          const value = power === null ? 0 : 0.3 * width ** power * (1 + noise * scatter[(seed + w + t) % 4]!)
          return `${index++},${width},${module},${t + 1},${value},adam`
        }),
      ),
    ),
  )
  return `,width,module,t,l1,optimizer\n${rows.join("\n")}\n`
}
const FILES = {
  "frame.csv": frame(),
  "wrong.csv": frame({ ...EXPONENTS, "layers.0.lora_A": [0, 0, 1 / 2, 1] }),
  "two.csv": `${frame()}${frame().split("\n").slice(1).join("\n").replaceAll("adam", "sgd")}`,
  "wide.csv":
    "layer,w=64,w=128,w=256,w=512,spread\nblocks.0.lora_A,8,11.31,16,22.63,2.8x\nlm_head,0.15,0.12,0.098,0.08,1.5x\n",
  "twice.csv": frame() + frame().split("\n").slice(1).join("\n"),
  "inf.csv": frame().replace(/^(\d+,2048,layers.0.lora_A,4),.*,adam$/m, "$1,inf,adam"),
  "half.csv": frame().replace(",layers.0.lora_B,2,", ",layers.0.lora_B,1.5,"),
  "map.yaml": `"*.lora_A": none\nreadout: b\n`,
  "typo.yaml": `"*.lora_A": zAA\n`,
  "nobody.yaml": `"*.lora_C": zA\n`,
}

interface Check {
  readonly module: string
  readonly step: number | null
  readonly quantity: string | null
  readonly exponent: number | null
  readonly verdict: string
}
async function checks(code: number, ...words: string[]): Promise<Check[]> {
  const ended = await lora(folder, "check", "lora", "--measured", ...words, "--json")
  expect([ended.err, ended.code]).toEqual(["", code])
  return JSON.parse(ended.out).checks
}

test("every recorded step after the first update agrees, and the figure is drawn", async () => {
  const found = await checks(0, "frame.csv", "--updates", "0", "--figure", "frame.svg")
  expect(found).toHaveLength(12)
  for (const { module, step, quantity, exponent, verdict } of found) {
    const power = EXPONENTS[module]![step! - 1]!
    if (power !== null) expect(exponent).toBeCloseTo(power, 1)
    expect(verdict).toBe(quantity === null || step === 1 ? "none" : "agrees")
  }
  expect(await readFile(join(folder, "frame.svg"), "utf8")).toContain("width n")
})

test("where it is open how steps count, only steps that differ by it are undecided", async () => {
  const of = (found: Check[], step: number) =>
    found.filter((each) => each.step === step && each.quantity !== null).map(({ verdict }) => verdict)
  const found = await checks(0, "frame.csv")
  expect([of(found, 1), of(found, 2), of(found, 4)]).toEqual([
    ["none", "none"],
    ["inconclusive", "inconclusive"],
    ["agrees", "agrees"],
  ])
})

test("another exponent is contradicted", async () => {
  const found = await checks(1, "wrong.csv", "--updates", "0")
  expect(found.filter(({ verdict }) => verdict === "contradicts")).toMatchObject([
    { module: "layers.0.lora_A", step: 4 },
  ])
})

test("a map names quantities; what it leaves out gets its slope", async () => {
  const found = await checks(1, "frame.csv", "--updates", "0", "--map", "map.yaml")
  expect([...new Set(found.map(({ module, quantity }) => `${module} ${quantity}`))]).toEqual([
    "layers.0.lora_A null",
    "layers.0.lora_B null",
    "readout b",
  ])
})

test("a printed table, a column a width, other columns left alone", async () => {
  const found = await checks(0, "wide.csv", "--wide", "width")
  expect(found).toMatchObject([
    { module: "blocks.0.lora_A", step: null, quantity: "zA", verdict: "consistent" },
    { module: "lm_head", quantity: null, verdict: "none" },
  ])
  expect(found[0]!.exponent).toBeCloseTo(1 / 2, 3)
  expect(found[1]!.exponent).toBeCloseTo(-0.3, 1)
})

test.each([
  [["two.csv"], "optimizer"],
  [["wide.csv"], "--wide width"],
  [["frame.csv", "--module", "modul"], "--module"],
  [["frame.csv", "--map", "typo.yaml"], "did you mean zA?"],
  [["frame.csv", "--map", "nobody.yaml"], "lora_A"],
  [["frame.csv", "--updates", "-1"], "--updates"],
  [["nowhere.csv"], "nowhere.csv"],
])("%j is refused: %s", async (words, says) => {
  const { code, out, err } = await lora(folder, "check", "lora", "--measured", ...words)
  expect([code, out]).toEqual([2, ""])
  expect(err).toContain(says)
  expect(err).not.toMatch(/\n\s+at /)
})

test("rows given twice are copies: no interval is shorter for them", async () => {
  const [once, twice] = await Promise.all(["frame.csv", "twice.csv"].map((file) => checks(0, file, "--updates", "0")))
  expect(twice).toEqual(once)
})

test("a size that left the finite numbers leaves its step undecided, and the figure without that width", async () => {
  const found = await checks(0, "inf.csv", "--updates", "0", "--figure", "inf.svg")
  const late = found.filter(({ step, quantity }) => step === 4 && quantity !== null)
  expect(late.map(({ module, verdict }) => [module, verdict])).toEqual([
    ["layers.0.lora_A", "inconclusive"],
    ["layers.0.lora_B", "agrees"],
  ])
  expect(await readFile(join(folder, "inf.svg"), "utf8")).not.toContain("NaN")
})

test("a step that counts no updates is refused with its line", async () => {
  const { code, err } = await lora(folder, "check", "lora", "--measured", "half.csv")
  expect([code, err]).toEqual([2, expect.stringMatching(/half.csv, line \d+, column t: got "1.5".*--step none/)])
})

test("a column of quantities, as inspect writes it, says what is read", async () => {
  const runs = fileURLToPath(new URL("../../examples/runs", import.meta.url))
  expect((await lora(folder, "inspect", runs, "--table", "inspected.csv")).code).toBe(0)
  for (const table of ["inspected.csv", runs]) {
    const ended = await lora(folder, "check", "init-b", "--measured", table, "--json")
    expect([ended.err, ended.code]).toEqual(["", 0])
    const found = JSON.parse(ended.out).checks as Check[]
    // By hand: entries of Init[B]'s B stay as they start, n^0 with fan-in r.
    const read = found.filter(({ quantity }) => quantity !== null)
    expect(new Set(read.map(({ quantity }) => quantity))).toEqual(new Set(["b"]))
    for (const { exponent } of read) expect(exponent).toBeCloseTo(0, 0)
    expect(found.some(({ module }) => module.endsWith(" / normBA"))).toBe(true)
  }
})
