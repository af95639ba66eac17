import type { Activations } from "../teacherStudent.js"
import { ACTIVATION_BYTES } from "./activations.js"
import { type BatchPlan, planBatch } from "./teacherStudentPlan.js"

/** What a step of a batch costs, counted from its dispatches; a model of a card's memory, not a measurement. */
export interface StepCost {
  readonly dispatches: number
  /**
   * Every byte that a dispatch can see, once, and twice where it is read and written: neighbours share what they load.
   */
  readonly bytes: number
  /** Activations read once, factors and moments read and written once: no step can do with less. */
  readonly leastBytes: number
  /** Loads of activations as threads issue them, a load a group of runs: what caches are asked for. */
  readonly activationLoads: number
  /** Floating-point operations: Z_B twice, the sums over rows and samples, Adam. */
  readonly flops: number
}

/** The cost of a step of a plan. */
export function stepCost({ shape, constants, slots, chunks, look, move }: BatchPlan): StepCost {
  const { width: n, rank: r, samples: N, runs, data, readouts } = shape
  const activation = ACTIVATION_BYTES[shape.activations]
  const dispatches = [...look, ...move]
  const rows = chunks.reduce((sum, chunk) => sum + chunk.rows, 0)
  return {
    dispatches: dispatches.length,
    bytes: dispatches.reduce(
      (sum, { bound }) => sum + bound.reduce((own, { access, bytes }) => own + (access === "both" ? 2 : 1) * bytes, 0),
      0,
    ),
    leastBytes: 2 * activation * n * N * data + 48 * n * r * runs + 4 * n * readouts,
    activationLoads: 4 * activation * rows * N * (slots / constants.together),
    flops: n * N * runs * (12 * r + 6) + 24 * n * r * runs,
  }
}

/** A card's limits as desktop drivers report them; for the model of a card that is not here. */
const CARD = {
  maxBufferSize: 2 ** 32 - 4,
  maxStorageBufferBindingSize: 2 ** 31 - 4,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 32768,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupsPerDimension: 65535,
} as const

/** The cost of a step of so many runs on one set of data, N = 256 and r = 4, on a card with usual limits. */
export function modelledCost(width: number, runs: number, activations: Activations = "float32"): StepCost {
  const shape = { width, rank: 4, samples: 256, runs, data: 1, readouts: 1, activations }
  const { together } = planBatch(shape, 1, CARD).constants
  return stepCost(planBatch(shape, Math.ceil(runs / together), CARD))
}
