import { type Bound, type Gpu, GpuFailure } from "./device.js"

/** A program's steps as plain data: what a device has to do, whichever program it was. */
export interface ProgramJob {
  /** The kernels of a step in their order; bindings: uniform, tensors, records. */
  readonly kernels: readonly {
    readonly label: string
    readonly code: string
    readonly workgroups: readonly [number, number]
  }[]
  /** One for each step. */
  readonly uniforms: readonly Uint32Array<ArrayBuffer>[]
  /** How many numbers all tensors of all runs take; zero where nothing else is said. */
  readonly numbers: number
  /** How many numbers are recorded of a step. */
  readonly recorded: number
  readonly starts: readonly { readonly at: number; readonly numbers: Float32Array<ArrayBuffer> }[]
}

/** Steps in one submission. */
const STEPS_AT_ONCE = 64

/**
 * Does a job and gives what each step recorded. Nothing here needs Node.
 *
 * @throws GpuFailure if the job does not fit or the device fails.
 */
export async function runJob(gpu: Gpu, job: ProgramJob): Promise<Float32Array[]> {
  const { kernels, uniforms, numbers, recorded, starts } = job
  const steps = uniforms.length
  for (const { workgroups } of kernels)
    if (Math.max(...workgroups) > gpu.limits.maxComputeWorkgroupsPerDimension)
      throw new GpuFailure("limit", `${workgroups.join("×")} workgroups`)
  const uniformBytes = uniforms[0]!.byteLength
  const uniformStride = aligned(uniformBytes)
  const recordStride = aligned(4 * recorded)
  const buffers = await gpu.allocate({
    tensors: 4 * numbers,
    records: recordStride * steps,
    steps: uniformStride * steps,
  })
  try {
    uniforms.forEach((uniform, i) => {
      gpu.upload(buffers.steps, uniform, i * uniformStride)
    })
    for (const { at, numbers: start } of starts) gpu.upload(buffers.tensors, start, 4 * at)
    const bound: Bound[] = [
      { buffer: buffers.steps, access: "uniform", offset: 0, bytes: uniformBytes, moving: true },
      { buffer: buffers.tensors, access: "both", offset: 0, bytes: 4 * numbers, moving: false },
      { buffer: buffers.records, access: "both", offset: 0, bytes: 4 * recorded, moving: true },
    ]
    const ready = await Promise.all(
      kernels.map(async ({ label, code, workgroups }) => ({ ...(await gpu.bind(label, code, bound)), workgroups })),
    )
    for (let first = 0; first < steps; first += STEPS_AT_ONCE) {
      gpu.requireHealthy()
      const encoder = gpu.device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      for (let step = first; step < Math.min(steps, first + STEPS_AT_ONCE); step++)
        for (const { pipeline, group, workgroups } of ready) {
          pass.setPipeline(pipeline)
          pass.setBindGroup(0, group, [step * uniformStride, step * recordStride])
          pass.dispatchWorkgroups(...workgroups)
        }
      pass.end()
      gpu.device.queue.submit([encoder.finish()])
      await gpu.done()
    }
    const all = await gpu.download(buffers.records, (recordStride / 4) * steps)
    return uniforms.map((_, i) => all.subarray((i * recordStride) / 4, (i * recordStride) / 4 + recorded))
  } finally {
    gpu.free(...Object.values(buffers))
  }
}

/** Where a binding may begin: whole multiples of 256 bytes. */
function aligned(bytes: number): number {
  return 256 * Math.ceil(bytes / 256)
}
