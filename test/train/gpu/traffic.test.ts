import { afterAll, describe, expect, test } from "vitest"
import { trainTeacherStudent } from "../../../src/train/gpu/teacherStudent.js"
import { type KernelName, teacherStudentKernel } from "../../../src/train/gpu/teacherStudentKernels.js"
import { planBatch } from "../../../src/train/gpu/teacherStudentPlan.js"
import { modelledCost, stepCost } from "../../../src/train/gpu/traffic.js"
import { ACTIVATIONS } from "../../../src/train/teacherStudent.js"
import type { TeacherStudentConfig } from "../../../src/train/teacherStudentConfig.js"
import { deviceForTests } from "./graphicsAdapter.js"
import { SMALL_RUN } from "./smallRun.js"

const { gpu, title } = await deviceForTests()
afterAll(() => gpu?.close())

describe("the traffic of a step, by the model", () => {
  test.each(Array.from({ length: 11 }, (_, i) => 10 + i))(
    "at n = 2^%i and 64 runs is within a factor of two of the least",
    (k) => {
      const { bytes, leastBytes } = modelledCost(2 ** k, 64)
      expect(bytes).toBeGreaterThan(leastBytes)
      expect(bytes).toBeLessThan(2 * leastBytes)
    },
  )

  test("the least is both activations and, for each run, six arrays of a factor's size read and written", () => {
    const [n, N, r, runs] = [1024, 256, 4, 64]
    expect(modelledCost(n, runs).leastBytes).toBe(2 * 4 * n * N + runs * 6 * 2 * 4 * n * r + 4 * n)
  })

  test.each(Array.from({ length: 11 }, (_, i) => 10 + i))(
    "at n = 2^%i, float16 saves two bytes an activation that is seen: H twice and P once; it too is within two of the least",
    (k) => {
      const [wide, half] = [modelledCost(2 ** k, 64), modelledCost(2 ** k, 64, "float16")]
      expect(wide.bytes - half.bytes).toBe(3 * 2 * 2 ** k * 256)
      expect(wide.leastBytes - half.leastBytes).toBe(2 * 2 * 2 ** k * 256)
      expect(half.activationLoads).toBe(wide.activationLoads / 2)
      expect(half.bytes).toBeLessThan(2 * half.leastBytes)
    },
  )

  test.each([
    [64, 0.06, 0.1],
    [1, 0.45, 0.5],
  ])("with %i runs at once that is between %d and %d of the bytes", (runs, least, most) => {
    for (const k of [10, 12, 14, 16, 18, 20]) {
      const saved = 1 - modelledCost(2 ** k, runs, "float16").bytes / modelledCost(2 ** k, runs).bytes
      expect(saved).toBeGreaterThan(least)
      expect(saved).toBeLessThan(most)
    }
  })

  const kernels = ["forward", "residual", "backward", "update", "sumZ", "sumGradientZ"] as const
  test.each(kernels.flatMap((kernel) => ACTIVATIONS.map((activations) => [kernel, activations] as const)))(
    "%s on %s reads what the plan says it reads, and only writes what it says it writes",
    (kernel: KernelName, activations) => {
      const limits = { ...LIMITS }
      const plan = planBatch({ width: 64, rank: 2, samples: 8, runs: 2, data: 1, readouts: 1, activations }, 1, limits)
      const { bound } = [...plan.look, ...plan.move].find((dispatch) => dispatch.kernel === kernel)!
      const text = teacherStudentKernel(kernel, plan.constants)
      bound.forEach(({ access }, binding) => {
        const [, name] = new RegExp(`@binding\\(${binding}\\) var<[^>]*> (\\w+)`).exec(text)!
        const uses = [...text.matchAll(new RegExp(`\\b${name}\\[[^\\]]*\\] ?(=?)(=?)`, "g"))]
        const writes = uses.filter(([, first, second]) => first === "=" && second === "")
        if (access === "read") expect(writes).toHaveLength(0)
        if (access === "write") expect([writes.length > 0, writes.length]).toEqual([true, uses.length])
        if (access === "both") expect(writes.length > 0 && writes.length < uses.length).toBe(true)
      })
    },
  )
})

const LIMITS = {
  maxBufferSize: 2 ** 31,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65535,
}

describe.skipIf(gpu === null)(`the traffic of a step as submitted: ${title}`, () => {
  test.each(ACTIVATIONS)(
    "with %s activations, dispatches and bytes are those that the device is given",
    async (activations) => {
      const config: TeacherStudentConfig = { ...SMALL_RUN, width: 200, rank: 4, samples: 30 }
      const sizes = new Map<object, number[]>()
      const submitted: number[][] = []
      let current: number[] = []
      const restore = [
        patch(GPUDevice.prototype, "createBindGroup", (group, [{ entries }]) => {
          sizes.set(
            group as object,
            [...entries].map(({ resource }) => (resource as GPUBufferBinding).size!),
          )
        }),
        patch(GPUComputePassEncoder.prototype, "setBindGroup", (_, [, group]) => {
          current = sizes.get(group as object)!
        }),
        patch(GPUComputePassEncoder.prototype, "dispatchWorkgroups", () => {
          submitted.push(current)
        }),
      ]
      try {
        await trainTeacherStudent(gpu!, [config, { ...config, rates: { A: 0.1, B: 0.1 } }], activations)
      } finally {
        for (const undo of restore) undo()
      }
      const shape = { ...config, runs: 2, data: 1, readouts: 1, activations }
      const plan = planBatch(shape, 1, gpu!.limits)
      const { start, look, move } = plan
      const planned = [start, ...Array.from({ length: config.steps }, () => [...look, ...move]), look].flat()
      expect(submitted).toEqual(planned.map(({ bound }) => bound.map(({ bytes }) => bytes)))
      // What is both read and written counts twice.
      const both = (dispatches: typeof look) =>
        dispatches.flatMap(({ bound }) => bound.filter(({ access }) => access === "both").map(({ bytes }) => bytes))
      const step = submitted.slice(start.length, start.length + look.length + move.length)
      const { dispatches, bytes } = stepCost(plan)
      expect(step).toHaveLength(dispatches)
      expect(sum(step.flat()) + sum(both([...look, ...move]))).toBe(bytes)
    },
  )
})

const sum = (values: readonly number[]) => values.reduce((x, y) => x + y, 0)

/** Has a method tell of its calls; gives what puts it back. */
function patch<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  told: (
    result: unknown,
    given: T[K] extends (...given: infer G) => unknown ? (number extends G["length"] ? never : G) : never,
  ) => void,
): () => void {
  const original = prototype[name] as unknown as (...given: unknown[]) => unknown
  prototype[name] = function (this: T, ...given: unknown[]) {
    const result = original.apply(this, given)
    told(result, given as never)
    return result
  } as unknown as T[K]
  return () => {
    prototype[name] = original as unknown as T[K]
  }
}
