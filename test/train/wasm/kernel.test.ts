import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { InputError } from "../../../src/inputError.js"
import type { OpenOptions } from "../../../src/train/teacherStudent.js"
import type { TeacherStudentConfig } from "../../../src/train/teacherStudentConfig.js"
import { memoryNeeded, openCpu } from "../../../src/train/wasm/cpu.js"
import { type Build, nativeBuilds } from "../../../src/train/wasm/kernel.js"
import { boundedRun, referenceRun } from "./exactRun.js"
import { expectWithin } from "./expectWithin.js"

const config = fc.record({
  width: fc.integer({ min: 1, max: 24 }),
  rank: fc.integer({ min: 1, max: 10 }),
  inputs: fc.integer({ min: 1, max: 4 }),
  samples: fc.integer({ min: 2, max: 20 }),
  teacherWidth: fc.constant(16),
  readout: fc.constantFrom(0.5, 1),
  steps: fc.constant(4),
  seed: fc.nat(1000),
  start: fc.constantFrom({ A: 0.5, B: 0 }, { A: 0, B: 0.5 }, { A: 0.3, B: 0.4 }),
  rates: fc.constantFrom({ A: 0.01, B: 0.01 }, { A: 0.003, B: 0.1 }),
  recordEvery: fc.constant(1),
})

const OPTIONS: OpenOptions = { precision: "float32", activations: "float32", threads: 1, memoryLimit: 2 ** 30 }

async function train(run: TeacherStudentConfig, options: Partial<OpenOptions> = {}, build?: Build) {
  const trainer = openCpu(run, { ...OPTIONS, ...options }, build)
  const result = await trainer.train(run)
  await trainer.close()
  return result
}

/** Native ones are there where a C compiler is, and the processor has the instructions. */
const SINGLE: readonly Build[] = ["plain", "relaxed", ...nativeBuilds()]

describe("the kernel of the teacher-student experiment", () => {
  test.each(["plain", "relaxed"] as const)(
    "agrees with the reference interpreter on the same program in float64 (%s)",
    async (build) => {
      await fc.assert(
        fc.asyncProperty(config, async (run) => {
          const { history } = await train(run, { precision: "float64" }, build)
          referenceRun(run).forEach(({ loss, zA, zB }, i) => {
            // The program's loss is that before step i + 1, its quantities are those after it.
            expect(history[i]!.loss).toBeCloseTo(loss, 8)
            expect(history[i + 1]!.zA).toBeCloseTo(zA, 8)
            expect(history[i + 1]!.zB).toBeCloseTo(zB, 8)
          })
        }),
        { numRuns: 40 },
      )
    },
  )

  test.each(SINGLE)("stays within float32's rounding of the exact program (%s)", async (build) => {
    let [narrow, all] = [0, 0]
    await fc.assert(
      fc.asyncProperty(config, async (run) => {
        const { history } = await train(run, {}, build)
        const found = expectWithin(boundedRun(run), history)
        narrow += found.narrow
        all += found.all
      }),
      { numRuns: 60 },
    )
    // A bound that says nothing would be met by anything.
    expect(narrow / all).toBeGreaterThan(0.5)
  })

  const wide: TeacherStudentConfig = {
    ...fc.sample(config, { numRuns: 1, seed: 1 })[0]!,
    width: 1100,
    rank: 6,
    samples: 20,
  }

  test.each(SINGLE)("the number of threads over rows changes no bit (%s)", async (build) => {
    const alone = await train(wide, {}, build)
    for (const threads of [2, 3]) {
      const trainer = openCpu(wide, { ...OPTIONS, threads }, build)
      // Twice: a team goes on to the next run.
      expect(await trainer.train(wide)).toEqual(alone)
      expect(await trainer.train(wide)).toEqual(alone)
      await trainer.close()
    }
  })

  test("the result names the arithmetic: fused or not, float32 or float64", async () => {
    const [plain, double] = [await train(wide, {}, "plain"), await train(wide, { precision: "float64" }, "plain")]
    expect([plain.backend, double.backend]).toEqual(["cpu float32", "cpu float64"])
    expect((await train(wide, {}, "relaxed")).backend).toMatch(/^cpu float32( fma)?$/)
    for (const build of nativeBuilds()) expect((await train(wide, {}, build)).backend).toBe(`cpu float32 ${build}`)
  })

  test("the output's change is zero at the start, whatever the start", async () => {
    const { history } = await train({ ...wide, start: { A: 0.3, B: 0.4 } })
    expect(history[0]!.outputChange).toBe(0)
    expect(history[1]!.outputChange).toBeGreaterThan(0)
  })

  test("divergence is recorded with its step, by every number of threads", async () => {
    const wild: TeacherStudentConfig = { ...wide, start: { A: 0.5, B: 0 }, rates: { A: 1e6, B: 1e6 }, steps: 20 }
    const [alone, together] = [await train(wild), await train(wild, { threads: 2 })]
    expect(alone.outcome).toEqual({ kind: "diverged", step: alone.history.at(-1)!.step })
    expect(alone.history.length).toBeLessThan(20)
    expect(together).toEqual(alone)
  })
})

describe("the memory of a run", () => {
  test("is known before anything is taken: a run beyond the limit is refused with its size", () => {
    const huge = { ...fc.sample(config, { numRuns: 1, seed: 1 })[0]!, width: 2 ** 20, samples: 256, rank: 4 }
    expect(() => openCpu(huge, { ...OPTIONS, memoryLimit: 2 ** 30 })).toThrow(InputError)
    expect(() => openCpu({ ...huge, samples: 1000 }, { ...OPTIONS, memoryLimit: 2 ** 40 })).toThrow(/GiB/)
  })

  test("at n = 2^20 and N = 256 is below 8 GiB", () => {
    const shape = { width: 2 ** 20, samples: 256, rank: 4, inputs: 5 }
    expect(memoryNeeded(shape, { precision: "float32", threads: 1 })).toBeLessThan(8 * 2 ** 30)
  })
})
