/** The benchmark of the GPU's kernels, in Node and in a browser alike: a table to be sent to others. */

import type { Activations } from "../teacherStudent.js"
import { type Gpu, GpuFailure } from "./device.js"
import { trainBatch } from "./teacherStudentBatch.js"
import { modelledCost } from "./traffic.js"

/** What a device reaches: bytes a second read from memory, floating-point operations a second. */
export interface DevicePeak {
  readonly bytes: number
  readonly flops: number
}

/** One line of the benchmark. */
export interface Throughput {
  readonly width: number
  readonly runs: number
  readonly secondsPerStep: number
  readonly bytes: number
  readonly flops: number
}

/** Samples and rank of the benchmark's runs. */
const [SAMPLES, RANK] = [256, 4]

const MODEL_RUNS = 64
const MODEL_BANDWIDTH = 1e12

/** A model, not a measurement: a step of 64 runs at n = 2¹⁰ … 2²⁰ and the time that its bytes take at 1 TB/s. */
export function modelRows(activations: Activations = "float32"): {
  readonly columns: readonly string[]
  readonly rows: readonly (string | number)[][]
} {
  return {
    columns: ["n", "dispatches", "MB a step", "least MB", "ratio", "ms at 1 TB/s", "MB of activations loaded", "GFLOP"],
    rows: [10, 12, 14, 16, 18, 20].map((k) => {
      const { dispatches, bytes, leastBytes, activationLoads, flops } = modelledCost(2 ** k, MODEL_RUNS, activations)
      return [
        `2^${k}`,
        dispatches,
        (bytes / 1e6).toFixed(1),
        (leastBytes / 1e6).toFixed(1),
        (bytes / leastBytes).toFixed(2),
        ((1000 * bytes) / MODEL_BANDWIDTH).toPrecision(3),
        (activationLoads / 1e6).toFixed(1),
        (flops / 1e9).toPrecision(3),
      ]
    }),
  }
}

const THREADS = 64

/** Measures reading memory and multiply-add, each for at least the given time. */
export async function devicePeak(gpu: Gpu, seconds = 0.2): Promise<DevicePeak> {
  const numbers = Math.min(2 ** 26, gpu.limits.maxStorageBufferBindingSize / 4) & ~1023
  const buffers = await gpu.allocate({ source: 4 * numbers, sink: 4 * 2 ** 16 })
  try {
    const bound = [
      { buffer: buffers.source, access: "read", offset: 0, bytes: 4 * numbers, moving: false },
      { buffer: buffers.sink, access: "write", offset: 0, bytes: 4 * 2 ** 16, moving: false },
    ] as const
    const groups = 1024
    const header = `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> sink: array<f32>;
@compute @workgroup_size(${THREADS}) fn main(@builtin(global_invocation_id) id: vec3u) {`
    const reading = await gpu.bind(
      "read memory",
      `${header}
  var sum = vec4f(0);
  for (var x = id.x; x < ${numbers / 4}u; x += ${groups * THREADS}u) { sum += source[x]; }
  sink[id.x] = sum.x + sum.y + sum.z + sum.w;
}`,
      bound,
    )
    const rounds = 256
    const computing = await gpu.bind(
      "multiply and add",
      `${header}
  var a = vec4f(f32(id.x)); var b = vec4f(f32(id.x) + 1.0);
  let c = source[id.x % 256u];
  for (var x = 0u; x < ${rounds}u; x++) { a = fma(a, c, b); b = fma(b, c, a); }
  sink[id.x] = a.x + b.y;
}`,
      bound,
    )
    const timed = async (kernel: typeof reading): Promise<number> => {
      for (let count = 1; ; count *= 4) {
        const start = performance.now()
        const encoder = gpu.device.createCommandEncoder()
        const pass = encoder.beginComputePass()
        pass.setPipeline(kernel.pipeline)
        pass.setBindGroup(0, kernel.group)
        for (let i = 0; i < count; i++) pass.dispatchWorkgroups(groups)
        pass.end()
        gpu.device.queue.submit([encoder.finish()])
        await gpu.done()
        const took = (performance.now() - start) / 1000
        if (took >= seconds && count > 1) return took / count
      }
    }
    return {
      bytes: (4 * numbers) / (await timed(reading)),
      flops: (16 * rounds * groups * THREADS) / (await timed(computing)),
    }
  } finally {
    gpu.free(...Object.values(buffers))
  }
}

/** Time a step of so many runs on one set of data: the difference between a long and a short training. */
export async function throughput(
  gpu: Gpu,
  width: number,
  runs: number,
  { steps = 20, activations = "float32" }: { readonly steps?: number; readonly activations?: Activations } = {},
): Promise<Throughput> {
  const size = { width, rank: RANK, samples: SAMPLES }
  const random = numbersFrom(width)
  const fill = (count: number, scale: number) => Float64Array.from({ length: count }, () => scale * random())
  const start = { A: fill(RANK * width, 2 * width ** -0.5), B: new Float64Array(RANK * width) }
  const wOut = fill(width, 2 * width ** -0.5)
  const data = [
    {
      y: fill(SAMPLES, 2),
      draw: (sink: (name: "P" | "H", first: number, rows: Float32Array) => void) => {
        for (let first = 0; first < width; first += 64)
          for (const name of ["P", "H"] as const)
            sink(name, first, Float32Array.from({ length: Math.min(64, width - first) * SAMPLES }, random))
      },
    },
  ]
  const train = async (count: number): Promise<number> => {
    const config = { rates: { A: 1e-3, B: 1e-3 }, steps: count, recordEvery: count }
    const batch = Array.from({ length: runs }, () => ({
      data: 0,
      readoutName: "one",
      readout: () => wOut,
      start,
      config,
    }))
    const began = performance.now()
    await trainBatch(gpu, size, data, batch, activations)
    return (performance.now() - began) / 1000
  }
  await train(1)
  const [short, long] = [await train(1), await train(1 + steps)]
  const secondsPerStep = (long - short) / steps
  if (!(secondsPerStep > 0)) throw new GpuFailure("limit", "too few steps to be timed")
  const { bytes, flops } = modelledCost(width, runs, activations)
  return { width, runs, secondsPerStep, bytes, flops }
}

/** Uniform numbers in [−1, 1) by a linear congruence: data of a benchmark, no experiment's. */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
}

/** The measured lines as a table; a software adapter is named so. */
export function throughputRows(gpu: Pick<Gpu, "name" | "software">, peak: DevicePeak, lines: readonly Throughput[]) {
  const percent = (x: number) => `${(100 * x).toFixed(0)} %`
  return {
    heading: `${gpu.software ? "software adapter, no card's speed: " : ""}${gpu.name}; measured ${(peak.bytes / 1e9).toPrecision(3)} GB/s read, ${(peak.flops / 1e9).toPrecision(3)} GFLOP/s`,
    columns: ["n", "runs", "ms a step", "GB/s by the model", "of measured", "GFLOP/s", "of measured"],
    rows: lines.map(({ width, runs, secondsPerStep, bytes, flops }) => [
      width,
      runs,
      (1000 * secondsPerStep).toPrecision(3),
      (bytes / secondsPerStep / 1e9).toPrecision(3),
      percent(bytes / secondsPerStep / peak.bytes),
      (flops / secondsPerStep / 1e9).toPrecision(3),
      percent(flops / secondsPerStep / peak.flops),
    ]),
  }
}
