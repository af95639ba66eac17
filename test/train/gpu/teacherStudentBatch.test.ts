import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { asFloat16 } from "../../../src/train/gpu/activations.js"
import { Gpu } from "../../../src/train/gpu/device.js"
import { trainTeacherStudent } from "../../../src/train/gpu/teacherStudent.js"
import { planBatch } from "../../../src/train/gpu/teacherStudentPlan.js"
import { ACTIVATIONS } from "../../../src/train/teacherStudent.js"
import type { TeacherStudentConfig } from "../../../src/train/teacherStudentConfig.js"
import { startOf } from "../../../src/train/wasm/teacherStudentData.js"
import { expectWithinBounds, STORED } from "./bounds.js"
import { deviceForTests, WGSL_QUOTIENT } from "./graphicsAdapter.js"
import { SMALL_RUN } from "./smallRun.js"

const { gpu, title } = await deviceForTests()
afterAll(() => gpu?.close())

/** Runs of one shape on two sets of data, with more rows than a tile has. */
const batch = fc
  .record({
    width: fc.integer({ min: 1, max: 80 }),
    rank: fc.constantFrom(1, 5),
    samples: fc.integer({ min: 2, max: 40 }),
    seeds: fc.uniqueArray(fc.nat(1000), { minLength: 2, maxLength: 2 }),
    varied: fc.array(
      fc.record({
        start: fc.constantFrom({ A: 0.5, B: 0 }, { A: 0, B: 0.5 }, { A: 0.3, B: 0.4 }),
        rates: fc.constantFrom({ A: 0.01, B: 0.01 }, { A: 0.003, B: 0.1 }),
        readout: fc.constantFrom(0.5, 1),
      }),
      // Three of one set of data and two of the other: groups of three, one of them with an empty slot.
      { minLength: 5, maxLength: 5 },
    ),
  })
  .map(({ seeds, varied, ...size }): TeacherStudentConfig[] => {
    const fixed = { ...size, inputs: 3, teacherWidth: 16, steps: 4, recordEvery: 1 }
    return varied.map((one, i) => ({ ...fixed, ...one, seed: seeds[i % seeds.length]! }))
  })

describe.skipIf(gpu === null)(`the teacher-student experiment on a GPU: ${title}`, () => {
  const wide: TeacherStudentConfig = {
    ...SMALL_RUN,
    width: 150,
    rank: 3,
    samples: 100,
    seed: 4,
    start: { A: 0.1, B: 0.2 },
    rates: { A: 0.01, B: 0.02 },
  }

  test.each([
    ["float32", 3],
    ["float16", 2],
  ] as const)(
    "a batch of %s in chunks of rows, with more samples than threads and small tiles, gives the same numbers",
    async (activations, chunks) => {
      const limits = {
        maxStorageBufferBindingSize: 4 * 100 * 64,
        maxComputeInvocationsPerWorkgroup: 64,
        maxComputeWorkgroupStorageSize: 8000,
      }
      const small = new Gpu(gpu!.device, gpu!, limits)
      const shape = { ...wide, runs: 1, data: 1, readouts: 1, activations }
      const plan = planBatch(shape, 1, small.limits)
      expect([plan.chunks.length, plan.constants]).toEqual([
        chunks,
        { rank: 3, threads: 64, blocks: 2, tile: 32, together: 1, activations },
      ])
      const [[chunked], [whole]] = [
        await trainTeacherStudent(small, [wide], activations),
        await trainTeacherStudent(gpu!, [wide], activations),
      ]
      chunked!.history.forEach((record, i) => {
        for (const name of ["loss", "zA", "zB", "outputChange"] as const)
          expect(record[name]).toBeCloseTo(whole!.history[i]![name], 4)
      })
    },
  )

  test("the start is the CPU's to the bit, and so are the same runs twice", async () => {
    const still = { ...wide, rates: { A: 0, B: 0 }, steps: 1 }
    const { A, B } = startOf(still)
    let written = new Map<number, Float32Array>()
    const { upload } = gpu!
    const spied = Object.create(gpu!, {
      upload: {
        value: (buffer: GPUBuffer, data: Float32Array<ArrayBuffer>, offset?: number) => {
          if (/^[AB]0$/.test(buffer.label)) written = written.set(buffer.label.charCodeAt(0), data.slice())
          upload.call(gpu, buffer, data, offset)
        },
      },
    }) as Gpu
    const [first] = await trainTeacherStudent(spied, [still])
    const rows = 64 * Math.ceil(wide.width / 64)
    const at = (factor: "A" | "B", row: number, k: number) => written.get(factor.charCodeAt(0))![k * rows + row]
    for (let row = 0; row < wide.width; row++)
      for (let k = 0; k < wide.rank; k++) {
        expect(at("A", row, k)).toBe(Math.fround(A[k * wide.width + row]!))
        expect(at("B", row, k)).toBe(Math.fround(B[row * wide.rank + k]!))
      }
    expect(await trainTeacherStudent(gpu!, [still])).toEqual([first])
  })

  test("a run that diverges is recorded with its step, the others of its batch go on", async () => {
    const wild = { ...wide, rates: { A: 1e6, B: 1e6 } }
    const [diverged, fine] = await trainTeacherStudent(gpu!, [wild, wide])
    expect(diverged!.outcome).toEqual({ kind: "diverged", step: diverged!.history.at(-1)!.step })
    expect(fine!.outcome).toEqual({ kind: "finished" })
    expect([diverged!.failed, fine!.failed]).toEqual([undefined, undefined])
  })

  test.each(ACTIVATIONS)(
    "every run of a batch of %s activations stays within float32's rounding of the exact program on what is stored",
    async (activations) => {
      let [narrow, all] = [0, 0]
      await fc.assert(
        fc.asyncProperty(batch, async (configs) => {
          const results = await trainTeacherStudent(gpu!, configs, activations)
          configs.forEach((config, run) => {
            const found = expectWithinBounds(config, results[run]!.history, WGSL_QUOTIENT, STORED[activations])
            narrow += found.narrow
            all += found.all
          })
        }),
        { numRuns: 12 },
      )
      // A bound that says nothing would be met by anything.
      expect(narrow / all).toBeGreaterThan(0.5)
    },
  )

  test("and not of the program on the activations as drawn, where they are stored in float16", async () => {
    // Few entries: over many the roundings average out.
    const small = { ...wide, width: 6, samples: 4, rank: 1 }
    const [result] = await trainTeacherStudent(gpu!, [small], "float16")
    expectWithinBounds(small, result!.history, WGSL_QUOTIENT, asFloat16)
    expect(() => expectWithinBounds(small, result!.history, WGSL_QUOTIENT)).toThrow()
  })
})
