import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { schemeNamed } from "../../../src/scheme/catalogue.js"
import { scheme } from "../../../src/scheme/scheme.js"
import { programBatch } from "../../../src/train/gpu/program.js"
import { ACTIVATIONS, type TeacherStudentResult } from "../../../src/train/teacherStudent.js"
import type { TeacherStudentConfig } from "../../../src/train/teacherStudentConfig.js"
import {
  drawActivations,
  productOf,
  readoutOf,
  startOf,
  targetsOf,
} from "../../../src/train/wasm/teacherStudentData.js"
import { expectDerivedExponents, expectWithinBounds, MEASURED, STORED } from "./bounds.js"
import { type Browser, chromium, OFFER_SOFTWARE, startBrowser } from "./browser.js"
import { WGSL_QUOTIENT } from "./graphicsAdapter.js"
import { SMALL_RUN } from "./smallRun.js"

const program = chromium()
if (program === null && process.env.REQUIRE_GPU) throw new Error("no chromium-headless-shell to run navigator.gpu in")
const title = program ?? "skipped: no chromium-headless-shell (Debian) on the path"

describe.skipIf(program === null)(`navigator.gpu in headless Chromium: ${title}`, () => {
  let browser: Browser
  let adapter: unknown
  beforeAll(async () => {
    browser = await startBrowser(program!, OFFER_SOFTWARE)
    adapter = await browser.do({ kind: "adapter" })
  })
  afterAll(() => browser.close())

  test("offers its software adapter where it is told to", () => {
    expect(adapter).toMatch(/swiftshader.*\(browser\)/i)
  })

  test("offers none where it is not told to, as the documentation says", async () => {
    const plain = await startBrowser(program!)
    await expect(plain.do({ kind: "adapter" })).rejects.toThrow(/no adapter/)
    await plain.close()
  })

  test.each(ACTIVATIONS)(
    "runs of the teacher-student experiment on %s activations stay within float32's rounding of the exact program",
    async (activations) => {
      const config: TeacherStudentConfig = { ...SMALL_RUN, seed: 5, start: { A: 0.3, B: 0.4 } }
      const configs = [config, { ...config, start: { A: 0.5, B: 0 } }, { ...config, rates: { A: 0.003, B: 0.1 } }]
      const rows: object[] = []
      drawActivations(config, productOf(config), (name, first, numbers) => rows.push({ name, first, numbers }))
      const results = (await browser.do({
        kind: "network",
        size: config,
        activations,
        data: [{ rows, y: targetsOf(config) }],
        runs: configs.map((one) => ({
          data: 0,
          readoutName: "one",
          wOut: readoutOf(one),
          start: startOf(one),
          config: one,
        })),
      })) as TeacherStudentResult[]
      configs.forEach((one, i) => {
        expectWithinBounds(one, results[i]!.history, WGSL_QUOTIENT, STORED[activations])
      })
    },
  )

  test("the benchmark's page prints the model, and what it measured of the adapter by name", async () => {
    const text = (await browser.do({ kind: "page", path: "/bench/gpu.html?widths=64&runs=2&seconds=0.01" })) as string
    expect(text).toMatch(/a model .*, not a measurement/)
    expect(text).toMatch(/software adapter, no card's speed: .*swiftshader/)
    expect(text.trim().split("\n").at(-1)).toMatch(/^\| 64 \| 2 \|/)
  })

  test.each(MEASURED)(
    "the exponents of %s at n = 2^8 ... 2^12 are the derived ones within 0.05",
    async (name, values) => {
      const ready = scheme({ ...schemeNamed(name), optimiser: "sign" }, values)
      await expectDerivedExponents(ready, name, async (config, seeds) => {
        const { job, results } = programBatch(ready, config, seeds)
        return results((await browser.do({ kind: "program", job })) as Float32Array[])
      })
    },
  )
})
