/** A scheme's program on a device: the runs of many seeds side by side, in float32. */
import type { Node } from "../../program/node.js"
import type { Scheme } from "../../scheme/scheme.js"
import {
  drawn,
  endsOf,
  meanSquaresOf,
  type RunConfig,
  type RunResult,
  requireRunnable,
  type StepRecord,
  signChanges,
  sizesOf,
} from "../run.js"
import { type Gpu, GpuFailure } from "./device.js"
import { type ProgramCode, programCode, type RecordItem, unsupported, workgroupsOf } from "./programKernels.js"

/** Steps in one submission. */
const STEPS_AT_ONCE = 64

/**
 * Trains a scheme's adapter for each seed; nothing is read back before the last step but the sizes recorded on the way.
 *
 * @throws InputError as `run` does; GpuFailure if the program has an operation without a kernel, the batch does not fit, or
 * the device fails.
 */
export async function runProgram(
  gpu: Gpu,
  scheme: Scheme,
  config: Omit<RunConfig, "seed" | "precision">,
  seeds: readonly number[],
): Promise<RunResult[]> {
  requireRunnable(scheme, { ...config, seed: 0 })
  const { program } = scheme
  const sizes = sizesOf(scheme, { ...config, seed: 0 })
  const leaves = new Set<Node>([
    ...program.layer.frozen.map(({ node }) => node),
    ...program.next.keys(),
    ...scheme.start.keys(),
  ])
  const roots = endsOf(program)
  const missing = unsupported(roots, leaves)
  if (missing !== null) throw new GpuFailure("unsupported", `${missing} has no kernel`)
  const items = itemsOf(scheme, sizes.samples)
  const code = programCode(roots, program.next, leaves, items)
  const stride = code.stride(sizes)
  const recordStride = 256 * Math.ceil((8 * items.length * seeds.length) / 256)
  const uniforms = Array.from({ length: config.steps }, (_, i) => code.uniform(sizes, seeds.length, i + 1))
  const uniformStride = 256 * Math.ceil(uniforms[0]!.byteLength / 256)
  const buffers = await gpu.allocate({
    tensors: 4 * stride * seeds.length,
    records: recordStride * config.steps,
    steps: uniformStride * config.steps,
  })
  try {
    uniforms.forEach((bytes, i) => {
      gpu.upload(buffers.steps, new Uint32Array(bytes), i * uniformStride)
    })
    seeds.forEach((seed, i) => {
      const put = (node: Node, data: Float64Array) =>
        gpu.upload(buffers.tensors, Float32Array.from(data), 4 * (i * stride + code.placeOf(node, sizes)))
      const draw = { seed, width: config.width }
      for (const { node, deviation } of program.layer.frozen) put(node, drawn(node, deviation, sizes, draw).data)
      for (const [leaf, deviation] of scheme.start)
        if (deviation !== "zero") put(leaf, drawn(leaf, deviation, sizes, draw).data)
    })
    const bound = [
      { buffer: buffers.steps, access: "uniform", offset: 0, bytes: uniforms[0]!.byteLength, moving: true },
      { buffer: buffers.tensors, access: "both", offset: 0, bytes: 4 * stride * seeds.length, moving: false },
      { buffer: buffers.records, access: "both", offset: 0, bytes: 8 * items.length * seeds.length, moving: true },
    ] as const
    const kernels = await Promise.all(
      code.kernels.map(async (kernel) => ({
        ...(await gpu.bind(kernel.label, kernel.code, bound)),
        workgroups: workgroupsOf(kernel, sizes, seeds.length),
      })),
    )
    for (const { workgroups } of kernels)
      if (Math.max(...workgroups) > gpu.limits.maxComputeWorkgroupsPerDimension)
        throw new GpuFailure("limit", `${workgroups.join("×")} workgroups`)
    for (let first = 0; first < config.steps; first += STEPS_AT_ONCE) {
      gpu.requireHealthy()
      const encoder = gpu.device.createCommandEncoder()
      const pass = encoder.beginComputePass()
      for (let step = first; step < Math.min(config.steps, first + STEPS_AT_ONCE); step++)
        for (const { pipeline, group, workgroups } of kernels) {
          pass.setPipeline(pipeline)
          pass.setBindGroup(0, group, [step * uniformStride, step * recordStride])
          pass.dispatchWorkgroups(...workgroups)
        }
      pass.end()
      gpu.device.queue.submit([encoder.finish()])
      await gpu.done()
    }
    const records = await gpu.download(buffers.records, (recordStride / 4) * config.steps)
    return seeds.map((_, i) =>
      resultOf(
        scheme,
        code,
        sizes,
        (step, item) => {
          const at = ((step - 1) * recordStride) / 4 + 2 * (item * seeds.length + i)
          return [records[at]!, records[at + 1]!]
        },
        config.steps,
      ),
    )
  } finally {
    gpu.free(...Object.values(buffers))
  }
}

/** What is read of a step: the sizes, the loss, and the residual where a step can turn its sign. */
function itemsOf({ program }: Scheme, samples: number): RecordItem[] {
  const factors = Object.values(program.alignments).flatMap(({ product, left, right }) => [product, left, right])
  const measured = new Set([...Object.values(program.quantities), ...factors])
  const entries = program.residual === null ? 0 : samples
  return [
    { node: program.loss, kind: "entry", entry: 0 },
    ...Array.from({ length: entries }, (_, entry) => ({ node: program.residual!, kind: "entry" as const, entry })),
    ...[...measured].map((node) => ({ node, kind: "squares" as const, entry: 0 })),
  ]
}

function resultOf(
  { program }: Scheme,
  { items }: ProgramCode,
  sizes: ReturnType<typeof sizesOf>,
  read: (step: number, item: number) => readonly [number, number],
  steps: number,
): RunResult {
  const history: StepRecord[] = []
  let before: Float64Array | undefined
  for (let step = 1; step <= steps; step++) {
    const sizeOf = new Map<Node, number>()
    const residual: number[] = []
    items.forEach(({ node, kind }, item) => {
      const [value, squares] = read(step, item)
      if (kind === "squares") sizeOf.set(node, (value ** 2 * squares) / (sizes[node.shape[0]] * sizes[node.shape[1]]))
      else if (node === program.residual && item > 0) residual.push(value)
    })
    const [loss] = read(step, 0)
    const meanSquares = meanSquaresOf(program, (node) => sizeOf.get(node)!, sizes)
    const after = program.residual === null ? null : Float64Array.from(residual)
    history.push({ step, loss, flipped: signChanges(before, after), meanSquares })
    before = after ?? undefined
    if (![loss, ...Object.values(meanSquares)].every(Number.isFinite))
      return { outcome: { kind: "diverged", step }, history }
  }
  return { outcome: { kind: "finished" }, history }
}
