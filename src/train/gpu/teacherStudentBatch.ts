/** A batch of teacher-student runs on a device. Nothing here needs Node. */
import { RunSummary } from "../runSummary.js"
import type { Activations, TeacherStudentResult } from "../teacherStudent.js"
import type { FactorArrays, TeacherStudentConfig } from "../teacherStudentConfig.js"
import { ACTIVATION_BYTES, packFloat16 } from "./activations.js"
import { type Bindings, type Gpu, GpuFailure } from "./device.js"
import { teacherStudentKernel } from "./teacherStudentKernels.js"
import { type BatchPlan, type PlannedDispatch, planBatch, STEP } from "./teacherStudentPlan.js"

/** One set of data as a device takes it. */
export interface BatchData {
  /** Hands over the rows of P and H, n×N, in pieces that begin at multiples of 64 rows. */
  readonly draw: (sink: (name: "P" | "H", first: number, rows: Float32Array) => void) => void
  readonly y: Float64Array
}

/** One run on a set of data. */
export interface BatchRun {
  /** Which set of data. */
  readonly data: number
  /** Runs of one text share the readout. */
  readonly readoutName: string
  readonly readout: () => Float64Array
  readonly start: FactorArrays
  readonly config: Pick<TeacherStudentConfig, "rates" | "steps" | "recordEvery">
}

/** Adam's constants, as in `program/optimiser`. */
const [BETA1, BETA2] = [0.9, 0.999]

/** Steps in one submission, and how many submissions wait for the device at most. */
const STEPS_AT_ONCE = 16

/**
 * Trains the runs side by side; nothing is read back before the last step.
 *
 * @param runs of one number of steps, in any order.
 * @param activations how P and H lie on the device.
 * @returns their results in their order.
 * @throws GpuFailure if the batch does not fit or the device fails.
 */
export async function trainBatch(
  gpu: Gpu,
  size: Pick<TeacherStudentConfig, "width" | "rank" | "samples">,
  data: readonly BatchData[],
  runs: readonly BatchRun[],
  activations: Activations = "float32",
): Promise<Omit<TeacherStudentResult, "backend">[]> {
  const readouts = new Map<string, number>()
  for (const { readoutName } of runs) if (!readouts.has(readoutName)) readouts.set(readoutName, readouts.size)
  const shape = { ...size, runs: runs.length, data: data.length, readouts: readouts.size, activations }
  const together = planBatch(shape, 1, gpu.limits).constants.together
  const slots = slotsOf(runs, data.length, together)
  const plan = planBatch(shape, slots.length / together, gpu.limits)
  const steps = Math.max(...runs.map(({ config }) => config.steps))
  const recordStride = 256 * Math.ceil((16 * plan.slots) / 256)
  const buffers = await gpu.allocate({
    ...plan.buffers,
    records: recordStride * (steps + 1),
    steps: STEP.stride * plan.chunks.length * (steps + 2),
  })
  try {
    uploadData(gpu, plan, buffers, data)
    uploadRuns(gpu, plan, buffers, runs, slots, readouts)
    uploadSteps(gpu, plan, buffers, steps)
    await submitSteps(gpu, plan, buffers, steps, recordStride)
    const records = await gpu.download(buffers.records!, (recordStride / 4) * (steps + 1))
    return runs.map((run, i) => resultOf(records, recordStride / 4, slots.indexOf(i), run.config, size))
  } finally {
    gpu.free(...Object.values<GPUBuffer>(buffers))
  }
}

/** Which run each slot has, −1 for none: the runs of a set of data lie together, in whole groups. */
function slotsOf(runs: readonly BatchRun[], sets: number, together: number): number[] {
  const slots: number[] = []
  for (let set = 0; set < sets; set++) {
    runs.forEach((run, i) => {
      if (run.data === set) slots.push(i)
    })
    while (slots.length % together !== 0) slots.push(-1)
  }
  return slots
}

type Buffers = Readonly<Record<string, GPUBuffer>>

function uploadData(gpu: Gpu, { shape, chunks }: BatchPlan, buffers: Buffers, data: readonly BatchData[]): void {
  const N = shape.samples
  const y = new Float32Array(data.length * N)
  data.forEach(({ draw, y: targets }, set) => {
    y.set(targets, set * N)
    draw((name, first, rows) => {
      const count = rows.length / N
      const packed = new Float32Array(4 * Math.ceil(count / 4) * N)
      for (let i = 0; i < count; i++)
        for (let q = 0, at = Math.floor(i / 4) * 4 * N + (i % 4); q < N; q++, at += 4) packed[at] = rows[i * N + q]!
      // Pieces of 64 rows lie in one chunk, whose bounds are whole tiles; a chunk may yet end within one of two tiles.
      for (let from = 0; from < count; ) {
        const c = chunks.findLastIndex(({ firstRow }) => firstRow <= first + from)
        const chunk = chunks[c]!
        const within = first + from - chunk.firstRow
        const own = Math.min(count - from, chunk.rows - within)
        const part = packed.subarray(from * N, 4 * Math.ceil((from + own) / 4) * N)
        const stored = shape.activations === "float16" ? packFloat16(part) : part
        const entry = (set * chunk.rows + within) * N
        gpu.upload(buffers[`${name}${c}`]!, stored, ACTIVATION_BYTES[shape.activations] * entry)
        from += own
      }
    })
  })
  gpu.upload(buffers.y!, y)
}

function uploadRuns(
  gpu: Gpu,
  { shape, chunks, slots: count }: BatchPlan,
  buffers: Buffers,
  runs: readonly BatchRun[],
  slots: readonly number[],
  readouts: ReadonlyMap<string, number>,
): void {
  const { width: n, rank: r } = shape
  const table = new ArrayBuffer(16 * count)
  const [numbers, indices] = [new Float32Array(table), new Uint32Array(table)]
  // A slot without a run has the set of its group, whose first slot has one.
  let set = 0
  slots.forEach((i, slot) => {
    if (i < 0) {
      indices[4 * slot + 3] = set
      return
    }
    const { config, readoutName, data, start } = runs[i]!
    set = data
    numbers.set([config.rates.A, config.rates.B], 4 * slot)
    indices.set([readouts.get(readoutName)!, data], 4 * slot + 2)
    chunks.forEach(({ firstRow, rows }, c) => {
      const own = Math.min(rows, n - firstRow)
      const [A, B] = [new Float32Array(r * rows), new Float32Array(r * rows)]
      for (let k = 0; k < r; k++)
        for (let row = 0; row < own; row++) {
          A[k * rows + row] = start.A[k * n + firstRow + row]!
          B[k * rows + row] = start.B[(firstRow + row) * r + k]!
        }
      // Buffers are zeroed when they are made, so a zero start need not travel.
      for (const [name, factor] of Object.entries({ A, B }))
        if (factor.some((x) => x !== 0)) gpu.upload(buffers[`${name}${c}`]!, factor, 4 * slot * r * rows)
    })
  })
  gpu.upload(buffers.runs!, indices)
  for (const [name, index] of readouts) {
    const values = runs.find(({ readoutName }) => readoutName === name)!.readout()
    chunks.forEach(({ firstRow, rows }, c) => {
      gpu.upload(buffers[`w${c}`]!, Float32Array.from(values.subarray(firstRow, firstRow + rows)), 4 * index * rows)
    })
  }
}

/** The uniforms: of the start, then of each step and chunk. */
function uploadSteps(gpu: Gpu, plan: BatchPlan, buffers: Buffers, steps: number): void {
  const { shape, chunks, constants, slots, groups, strides } = plan
  const bytes = new ArrayBuffer(STEP.stride * chunks.length * (steps + 2))
  for (let at = -1; at <= steps; at++)
    chunks.forEach(({ rows, tilesPerGroup }, c) => {
      const offset = STEP.stride * ((at + 1) * chunks.length + c)
      // Before the first step gradient and moments are zero: a step that moves nothing but Z_A.
      const corrections = at < 0 ? [1, 1] : [1 / (1 - BETA1 ** (at + 1)), 1 / (1 - BETA2 ** (at + 1))]
      new Float32Array(bytes, offset, 2).set(corrections)
      new Uint32Array(bytes, offset + 8, 9).set([
        at === 0 ? 1 : 0,
        rows,
        rows / constants.tile,
        tilesPerGroup,
        slots,
        groups,
        strides.F,
        strides.Z,
        shape.samples,
      ])
    })
  gpu.upload(buffers.steps!, new Uint32Array(bytes))
}

async function submitSteps(
  gpu: Gpu,
  plan: BatchPlan,
  buffers: Buffers,
  steps: number,
  recordStride: number,
): Promise<void> {
  const bound = new Map<PlannedDispatch, Bindings>()
  for (const dispatch of new Set([...plan.start, ...plan.look, ...plan.move])) {
    const { kernel, chunk } = dispatch
    const ranges = dispatch.bound.map(({ buffer, access, offset, bytes }) => ({
      buffer: buffers[buffer]!,
      access,
      offset,
      bytes,
      moving: buffer === "steps" || buffer === "records",
    }))
    bound.set(dispatch, await gpu.bind(`${kernel} ${chunk}`, teacherStudentKernel(kernel, plan.constants), ranges))
  }
  const encode = (pass: GPUComputePassEncoder, dispatches: readonly PlannedDispatch[], step: number) => {
    for (const dispatch of dispatches) {
      const { pipeline, group } = bound.get(dispatch)!
      const uniform = STEP.stride * ((step + 1) * plan.chunks.length + dispatch.chunk)
      pass.setPipeline(pipeline)
      pass.setBindGroup(0, group, dispatch.kernel === "residual" ? [uniform, step * recordStride] : [uniform])
      pass.dispatchWorkgroups(...dispatch.workgroups)
    }
  }
  let before: Promise<void> = Promise.resolve()
  for (let from = 0; from <= steps; from += STEPS_AT_ONCE) {
    gpu.requireHealthy()
    const encoder = gpu.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    if (from === 0) encode(pass, plan.start, -1)
    for (let step = from; step < Math.min(steps + 1, from + STEPS_AT_ONCE); step++) {
      encode(pass, plan.look, step)
      if (step < steps) encode(pass, plan.move, step)
    }
    pass.end()
    gpu.device.queue.submit([encoder.finish()])
    // One submission runs while the next is written.
    await before
    before = gpu.done()
    before.catch(() => {})
  }
  await before
}

function resultOf(
  records: Float32Array,
  stride: number,
  slot: number,
  { steps, recordEvery }: BatchRun["config"],
  { width: n, rank: r, samples: N }: Pick<TeacherStudentConfig, "width" | "rank" | "samples">,
): Omit<TeacherStudentResult, "backend"> {
  if (slot < 0) throw new GpuFailure("limit", "a run has no slot")
  const summary = new RunSummary({ steps, recordEvery })
  for (let step = 0; ; step++) {
    const [squaredResidual, squaresA, squaresB, squaredChange] = records.subarray(step * stride + 4 * slot)
    const result = summary.add({
      step,
      loss: squaredResidual! / (2 * N),
      zA: Math.sqrt(squaresA! / (r * N)),
      zB: Math.sqrt(squaresB! / (n * N)),
      outputChange: Math.sqrt(squaredChange! / N),
    })
    if (result !== null) return result
  }
}
