/** Fine-tuning of a pretrained model by LoRA: gradients by a graph, the optimiser's step in float32. */
import { type AdamW, adamwStep, clipNorm, rateAt, type Schedule, trained } from "../adamw.js"
import type { Batch } from "../tuning/batch.js"
import type { Gradients } from "./gradients.js"

/** How a fine-tuning goes. */
export interface FineTuning extends Omit<AdamW, "rate">, Schedule {
  /** The joint norm that gradients are clipped to; null for none. */
  readonly clip: number | null
  /** How many batches' mean gradient makes a step. */
  readonly accumulate: number
  /** Each trained tensor's rate over the schedule's, in their order; 1 if left out. */
  readonly factors?: readonly number[]
}

/** A step as it is recorded. */
export interface TuningStep {
  /** From 1. */
  readonly step: number
  /** The mean loss before the step. */
  readonly loss: number
  readonly rate: number
  /** The gradients' joint norm before clipping. */
  readonly norm: number
  /** The gradients before clipping, in the order of the trained tensors. Read them before the next step. */
  readonly gradients: readonly Float32Array[]
  /** What is trained, after the step. */
  readonly values: readonly Float32Array[]
}

/**
 * Trains step by step; whoever reads the steps decides what is kept of them.
 *
 * @param start of each trained tensor, in their order.
 * @param batches the batch of step t ≥ 1 and its part from 0.
 */
export async function* fineTune(
  gradients: Gradients,
  start: readonly Float32Array[],
  batches: (step: number, part: number) => Batch | Promise<Batch>,
  options: FineTuning,
): AsyncGenerator<TuningStep> {
  const take = stepper(gradients, start, options)
  for (let step = 1; step <= options.steps; step++)
    yield take(Array.from({ length: options.accumulate }, (_, part) => () => batches(step, part)))
}

/**
 * Takes one step after the other, each on the mean gradient of its batches, which are made one by one.
 *
 * A tensor whose factor is 0 stays as it is and does not count in the joint norm.
 */
export function stepper(
  gradients: Gradients,
  start: readonly Float32Array[],
  options: Omit<FineTuning, "accumulate">,
): (batches: readonly (() => Batch | Promise<Batch>)[]) => Promise<TuningStep> {
  const moving = start.map(trained)
  const values = moving.map(({ value }) => value)
  const factors = start.map((_, i) => options.factors?.[i] ?? 1)
  let step = 0
  return async (batches) => {
    step++
    const sums = values.map(({ length }) => new Float32Array(length))
    let loss = 0
    for (const batch of batches) {
      const found = await gradients.at(await batch(), values)
      loss += found.loss / batches.length
      found.gradients.forEach((own, i) => {
        const sum = sums[i]!
        if (factors[i] !== 0) for (let k = 0; k < own.length; k++) sum[k]! += own[k]! / batches.length
      })
    }
    const before = sums.map((sum) => sum.slice())
    const norm = clipNorm(sums, options.clip ?? Number.POSITIVE_INFINITY)
    const rate = rateAt(step, options)
    moving.forEach((each, i) => {
      adamwStep(each, sums[i]!, step, { ...options, rate: rate * factors[i]! })
    })
    return { step, loss, rate, norm, gradients: before, values }
  }
}
