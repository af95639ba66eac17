import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { pythonWithTorch } from "../python/venv.js"

const python = await pythonWithTorch()
const root = fileURLToPath(new URL("../../", import.meta.url))

interface Row {
  readonly run: string
  readonly width: number
  readonly rate: number
  readonly step: number
  readonly quantity: string
  readonly module: string
  readonly value: number
}

describe.skipIf(python === null)("the recorder in trainings of BERT models by PEFT, MiniLM among them", () => {
  let folder: string
  let rows: Row[]
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "recorder-"))
    await promisify(execFile)(python!, [join(root, "test/python/recordBert.py"), folder, join(root, "python")], {
      maxBuffer: 1e8,
      env: { ...process.env, HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false" },
    })
    const files = (await readdir(folder)).filter((name) => name.endsWith(".jsonl"))
    const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")))
    rows = texts.flatMap((text) =>
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Row),
    )
  })
  afterAll(() => rm(folder, { recursive: true }))

  const of = (quantity: string, step: number) => rows.filter((row) => row.quantity === quantity && row.step === step)

  test("sizes that are known beforehand", () => {
    expect(new Set(rows.map(({ width }) => width))).toEqual(new Set([64, 128, 256, 384]))
    // B starts at zero, so at step 1 no gradient reaches A, and Adam moves every entry of B by the rate.
    for (const row of of("zB", 0)) expect(row.value).toBe(0)
    for (const row of of("delta1", 1)) expect(row.value).toBe(0)
    for (const row of of("b", 1)) expect(row.value / row.rate).toBeCloseTo(1, 2)
    // From a zero product the first change is all there is.
    for (const row of of("change", 1)) {
      const own = of("zB", 1).find(({ module, run }) => module === row.module && run === row.run)!
      expect(row.value / own.value).toBeCloseTo(1, 4)
    }
    // A₀ has entries N(0, 1/n) and Z coordinates of size 1 behind a normalisation: A₀Z is Θ(1).
    for (const row of of("zA", 0)) expect(row.value).toBeGreaterThan(0.1)
  })

  test("check --measured reads the folder and gives verdicts", async () => {
    const words = [
      "check",
      "init-a",
      "--set",
      "c=-1/2",
      "--measured",
      folder,
      "--module",
      "quantity",
      "--pool",
      "module",
      "kind",
      "run",
    ]
    // Exit code 1 would be a contradiction: few narrow models may contradict later steps, so the first is asked, exact
    // in theory.
    const out = await promisify(execFile)(process.execPath, [
      join(root, "dist/command/main.js"),
      ...words,
      "--json",
    ]).then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    )
    const checks = JSON.parse(out).checks as { quantity: string; step: number; verdict: string }[]
    const verdict = (quantity: string, step: number) =>
      checks.find((one) => one.quantity === quantity && one.step === step)!.verdict
    expect(["b", "delta1", "delta3"].map((quantity) => verdict(quantity, 1))).toEqual(["agrees", "agrees", "agrees"])
    for (const quantity of ["zA", "zB", "b", "delta1", "delta2", "delta3"])
      expect(verdict(quantity, 3)).toMatch(/agrees|consistent|inconclusive/)
  })
})
