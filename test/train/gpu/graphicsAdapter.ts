import { type Gpu, GpuFailure, openGpu } from "../../../src/train/gpu/device.js"

/**
 * The device that the tests of the GPU run on, or why there is none.
 *
 * Where REQUIRE_GPU is set, as in CI, a missing adapter fails the tests instead of skipping them.
 */
export async function deviceForTests(): Promise<{ readonly gpu: Gpu | null; readonly title: string }> {
  try {
    const gpu = await openGpu()
    return { gpu, title: gpu.name }
  } catch (error) {
    if (!(error instanceof GpuFailure) || process.env.REQUIRE_GPU) throw error
    return { gpu: null, title: `skipped: ${error.message}` }
  }
}

/**
 * Roundings, in halves of float32's spacing, that WGSL allows: a quotient is off by 2.5 spacings, a root by that of
 * 1 / inverseSqrt (2 + 2.5); with the sum of root and ε and the rate's two products, 2 · 7 + 3 ≤ 18.
 */
export const WGSL_QUOTIENT = 18
