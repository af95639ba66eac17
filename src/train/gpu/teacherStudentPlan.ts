/**
 * How a batch of teacher-student runs is laid out on a device: tiles, groups, buffers, and the dispatches of a step.
 */

import type { Activations } from "../teacherStudent.js"
import { ACTIVATION_BYTES } from "./activations.js"
import { type Bound, GpuFailure } from "./device.js"
import type { GpuLimits } from "./graphicsAdapter.js"
import { type KernelConstants, type KernelName, workgroupBytes } from "./teacherStudentKernels.js"

/** A batch: runs of one width, rank and number of samples on one or more sets of data. */
export interface BatchShape {
  readonly width: number
  readonly rank: number
  readonly samples: number
  readonly runs: number
  /** Sets of data; the runs of a set lie together. */
  readonly data: number
  /** Readouts that differ, over all sets. */
  readonly readouts: number
  /** How P and H lie. */
  readonly activations: Activations
}

/** One dispatch: a kernel, over a chunk of the rows or over all, and the bytes that it can see of each buffer. */
export interface PlannedDispatch {
  readonly kernel: KernelName
  readonly chunk: number
  readonly workgroups: readonly [number, number]
  readonly bound: readonly {
    readonly buffer: string
    readonly access: Bound["access"]
    readonly offset: number
    readonly bytes: number
  }[]
}

/** Rows whose buffers lie together. */
export interface Chunk {
  readonly firstRow: number
  readonly rows: number
  readonly firstGroup: number
  readonly groups: number
  readonly tilesPerGroup: number
}

/** The whole layout. */
export interface BatchPlan {
  readonly shape: BatchShape
  readonly constants: KernelConstants
  /** Runs with those that fill the last group of runs. */
  readonly slots: number
  readonly chunks: readonly Chunk[]
  readonly groups: number
  /** Between groups of rows: pairs in `partF`, numbers in `partZ`. */
  readonly strides: { readonly F: number; readonly Z: number }
  readonly buffers: Readonly<Record<string, number>>
  /** Before the first step. */
  readonly start: readonly PlannedDispatch[]
  /** Loss and sizes: the first part of a step, and what follows the last one. */
  readonly look: readonly PlannedDispatch[]
  /** The rest of a step. */
  readonly move: readonly PlannedDispatch[]
}

/** Bytes of a uniform of a step, and how far apart they lie. */
export const STEP = { bytes: 48, stride: 256 } as const

/** Below so many rows the sums over groups would cost more than the rows. */
const LEAST_ROWS = 256

/** Workgroups that fill a large card several times over: more groups of rows would only add sums. */
const MANY_WORKGROUPS = 2048

/** Runs that share a load, in numbers of Z_A a thread keeps. */
const KEPT = 16

/**
 * The layout of a batch.
 *
 * @param groups of runs a set of data has; each is `constants.together` slots, all on one set.
 * @throws GpuFailure of kind "limit" if the limits are too small for any layout.
 */
export function planBatch(shape: BatchShape, runGroups: number, limits: GpuLimits): BatchPlan {
  const constants = constantsOf(shape, limits)
  const { samples: N, rank: r, width, data, readouts } = shape
  const { tile, threads, together } = constants
  const activationBytes = ACTIVATION_BYTES[shape.activations]
  const slots = runGroups * together
  const rows = tile * Math.ceil(width / tile)
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize)
  const bytesARow = Math.max(activationBytes * N * data, 12 * r * slots, 4 * readouts)
  const rowsAtOnce = tile * Math.floor(most / bytesARow / tile)
  if (rowsAtOnce === 0) throw tooSmall("maxStorageBufferBindingSize", most, bytesARow * tile)
  const mostGroups = Math.min(512, Math.max(64, MANY_WORKGROUPS / runGroups))
  const rowsAGroup = tile * Math.ceil(Math.max(LEAST_ROWS, rows / mostGroups) / tile)
  const chunks: Chunk[] = []
  for (let firstRow = 0, firstGroup = 0; firstRow < rows; ) {
    const own = Math.min(rowsAtOnce, rows - firstRow)
    const groups = Math.ceil(own / rowsAGroup)
    chunks.push({ firstRow, rows: own, firstGroup, groups, tilesPerGroup: rowsAGroup / tile })
    firstRow += own
    firstGroup += groups
  }
  const groups = chunks.reduce((sum, chunk) => sum + chunk.groups, 0)
  // Whole multiples of 256 bytes, where a binding may begin.
  const strides = { F: 32 * Math.ceil((slots * N) / 32), Z: 64 * Math.ceil((slots * r * N) / 64) }
  const zBytes = 4 * slots * r * N
  const buffers: Record<string, number> = {
    Z: zBytes,
    gradientZ: zBytes,
    residual: 4 * slots * N,
    f0: 4 * slots * N,
    y: 4 * data * N,
    runs: 16 * slots,
    partF: 8 * strides.F * groups,
    partZ: 4 * strides.Z * groups,
  }
  chunks.forEach((chunk, c) => {
    buffers[`P${c}`] = activationBytes * N * data * chunk.rows
    buffers[`H${c}`] = buffers[`P${c}`]!
    buffers[`A${c}`] = 12 * r * slots * chunk.rows
    buffers[`B${c}`] = buffers[`A${c}`]!
    buffers[`w${c}`] = 4 * readouts * chunk.rows
  })
  const recordBytes = 16 * slots
  const sized = (buffer: string, access: Bound["access"], bytes = buffers[buffer]!, offset = 0) => ({
    buffer,
    access,
    offset,
    bytes,
  })
  const step = sized("steps", "uniform", STEP.bytes)
  const dispatch = (
    kernel: KernelName,
    chunk: number,
    workgroups: readonly [number, number],
    bound: PlannedDispatch["bound"],
  ): PlannedDispatch => {
    for (const count of workgroups)
      if (count > limits.maxComputeWorkgroupsPerDimension)
        throw tooSmall("maxComputeWorkgroupsPerDimension", limits.maxComputeWorkgroupsPerDimension, count)
    return { kernel, chunk, workgroups, bound: [step, ...bound] }
  }
  const over = (
    kernel: KernelName,
    bound: (c: number, part: (name: "F" | "Z") => PlannedDispatch["bound"]) => PlannedDispatch["bound"],
  ) =>
    chunks.map((chunk, c) => {
      const part = (name: "F" | "Z") => {
        const bytes = (name === "F" ? 8 : 4) * strides[name]
        return [sized(`part${name}`, "write", bytes * chunk.groups, bytes * chunk.firstGroup)]
      }
      return dispatch(kernel, c, [runGroups, chunk.groups], bound(c, part))
    })
  const sum = (kernel: "sumZ" | "sumGradientZ", into: string) =>
    dispatch(kernel, 0, [Math.ceil((slots * r * N) / threads), 1], [sized("partZ", "read"), sized(into, "write")])
  const forward = over("forward", (c, part) => [
    sized(`H${c}`, "read"),
    // Of the factor and its two moments, the factor alone.
    sized(`B${c}`, "read", buffers[`B${c}`]! / 3),
    sized(`w${c}`, "read"),
    sized("Z", "read"),
    sized("runs", "read"),
    ...part("F"),
  ])
  const residual = dispatch(
    "residual",
    0,
    [slots, 1],
    [
      sized("partF", "read"),
      sized("Z", "read"),
      sized("y", "read"),
      sized("runs", "read"),
      sized("residual", "write"),
      sized("f0", "both"),
      sized("records", "write", recordBytes),
    ],
  )
  const backward = over("backward", (c, part) => [
    sized(`H${c}`, "read"),
    sized(`B${c}`, "both"),
    sized(`w${c}`, "read"),
    sized("Z", "read"),
    sized("residual", "read"),
    sized("runs", "read"),
    ...part("Z"),
  ])
  const update = over("update", (c, part) => [
    sized(`P${c}`, "read"),
    sized(`A${c}`, "both"),
    sized("gradientZ", "read"),
    sized("runs", "read"),
    ...part("Z"),
  ])
  return {
    shape,
    constants,
    slots,
    chunks,
    groups,
    strides,
    buffers,
    start: [...update, sum("sumZ", "Z")],
    look: [...forward, residual],
    move: [...backward, sum("sumGradientZ", "gradientZ"), ...update, sum("sumZ", "Z")],
  }
}

/** How many runs a thread works on together at a rank. */
function togetherAt(rank: number, runs: number): number {
  return Math.max(1, Math.min(4, Math.floor(KEPT / rank), runs))
}

/** The largest workgroup and tile that the limits allow. */
function constantsOf({ samples, rank, runs, data, activations }: BatchShape, limits: GpuLimits): KernelConstants {
  const most = Math.min(256, limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX)
  if (most < 32) throw tooSmall("maxComputeInvocationsPerWorkgroup", most, 32)
  const threads = Math.min(2 ** Math.floor(Math.log2(most)), Math.max(64, 2 ** Math.ceil(Math.log2(samples))))
  const together = togetherAt(rank, Math.ceil(runs / data))
  const blocks = Math.ceil(samples / threads)
  for (const tile of [64, 32]) {
    const constants = { rank, threads, blocks, tile, together, activations }
    if (workgroupBytes(constants) <= limits.maxComputeWorkgroupStorageSize) return constants
  }
  const needed = workgroupBytes({ rank, threads, blocks, tile: 32, together, activations })
  throw tooSmall("maxComputeWorkgroupStorageSize", limits.maxComputeWorkgroupStorageSize, needed)
}

function tooSmall(limit: keyof GpuLimits, has: number, needed: number): GpuFailure {
  return new GpuFailure("limit", `${limit} is ${has}, needed ${needed}`)
}
