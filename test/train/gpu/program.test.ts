import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { CATALOGUE, schemeNamed } from "../../../src/scheme/catalogue.js"
import { scheme } from "../../../src/scheme/scheme.js"
import { GpuFailure } from "../../../src/train/gpu/device.js"
import { runProgram } from "../../../src/train/gpu/program.js"
import { run } from "../../../src/train/run.js"
import { boundedRun, expectWithinRun } from "../boundedRun.js"
import { expectDerivedExponents, MEASURED } from "./bounds.js"
import { deviceForTests, WGSL_QUOTIENT } from "./graphicsAdapter.js"

const { gpu, title } = await deviceForTests()
afterAll(() => gpu?.close())

/** Refused by name, with the operation that has no kernel. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  "muon-": /orthogonalise/,
  "adam-a-muon-": /orthogonalise/,
  "scaled-": /precondition/,
  "lora-one-scaled": /precondition/,
  "adafactor-": /columnDots/,
  "lora-rite-": /orthogonalise/,
  vera: /scaleColumns/,
  dora: /columnDots|scaleColumns|inverseRoot|n×n/,
  "clip-": /gradient clipping/,
  "two-layers-": /n×n/,
  "three-layers-": /n×n/,
  "tanh-": /n×n/,
  "residual-": /n×n/,
  "layer-rates-": /n×n/,
  "teacher-student/": /n×n/,
}
const isRefused = (name: string) => Object.keys(REFUSED).some((prefix) => name.startsWith(prefix))
const READ = CATALOGUE.filter(({ name }) => !isRefused(name))

describe.skipIf(gpu === null)(`schemes' programs on a GPU: ${title}`, () => {
  test("random schemes stay within float32's rounding of the exact program, quantity by quantity", async () => {
    let [narrow, all] = [0, 0]
    const config = fc.record({
      definition: fc.constantFrom(...READ),
      width: fc.integer({ min: 2, max: 40 }),
      rank: fc.integer({ min: 1, max: 3 }),
      seed: fc.nat(1000),
    })
    await fc.assert(
      fc.asyncProperty(config, async ({ definition, seed, ...size }) => {
        const ready = scheme(definition, definition.example ?? {})
        const shared = { ...size, steps: 3 }
        const [, result] = await runProgram(gpu!, ready, shared, [seed + 1, seed])
        const bounded = boundedRun(ready, { ...shared, seed }, WGSL_QUOTIENT)
        const found = expectWithinRun(bounded, result!, definition.name)
        narrow += found.narrow
        all += found.all
      }),
      {
        numRuns: 15,
        examples: [
          [{ definition: schemeNamed("adam-epsilon"), width: 3, rank: 2, seed: 1 }],
          // A square of a gradient that may be 0 within its error: a bound that is infinite, once NaN.
          [{ definition: schemeNamed("squared-init-b"), width: 37, rank: 2, seed: 1 }],
        ],
      },
    )
    // A bound that says nothing would be met by anything.
    expect(narrow / all).toBeGreaterThan(0.5)
  })

  test("loss, alignments and turned residuals are the reference interpreter's", async () => {
    const ready = scheme(schemeNamed("squared-init-a"), { c: "-1/4" })
    const config = { width: 60, rank: 2, steps: 4 }
    const results = await runProgram(gpu!, ready, config, [1, 2, 3])
    results.forEach(({ history, outcome }, i) => {
      const exact = run(ready, { ...config, seed: i + 1 })
      expect(outcome).toEqual(exact.outcome)
      history.forEach(({ loss, flipped, meanSquares }, step) => {
        const expected = exact.history[step]!
        expect(loss / expected.loss).toBeCloseTo(1, 3)
        expect(flipped).toBe(expected.flipped)
        expect(Object.keys(meanSquares)).toEqual(Object.keys(expected.meanSquares))
      })
    })
  })

  test.each(CATALOGUE.filter(({ name }) => isRefused(name)))("$name is refused by name", async (definition) => {
    const [, reason] = Object.entries(REFUSED).find(([prefix]) => definition.name.startsWith(prefix))!
    const ready = scheme(definition, definition.example ?? {})
    const attempt = runProgram(gpu!, ready, { width: 8, rank: 2, steps: 1 }, [1])
    await expect(attempt).rejects.toThrow(GpuFailure)
    await expect(attempt).rejects.toThrow(reason)
  })

  test.each(MEASURED)(
    "the exponents of %s at n = 2^8 ... 2^12 are the derived ones within 0.05",
    async (name, values) => {
      const ready = scheme({ ...schemeNamed(name), optimiser: "sign" }, values)
      await expectDerivedExponents(ready, name, (config, seeds) => runProgram(gpu!, ready, config, seeds))
    },
  )
})
