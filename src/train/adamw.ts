/** AdamW as torch.optim.AdamW has it, with what goes around it in a fine-tuning loop. */

/** A trained tensor with the optimiser's state, changed in place. */
export interface Trained {
  readonly value: Float32Array
  readonly mean: Float32Array
  readonly square: Float32Array
}

/** How a step is taken. */
export interface AdamW {
  readonly rate: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** Decoupled: each step takes rate · weightDecay of the value from it. */
  readonly weightDecay: number
}

/** How the rate goes: up over the warm-up's steps, then level, or in a line to zero after the last step. */
export interface Schedule {
  readonly rate: number
  readonly warmup: number
  readonly steps: number
  readonly decay: "linear" | "none"
}

/** A tensor at its start, with a state of zeros. */
export function trained(start: Float32Array): Trained {
  return { value: start.slice(), mean: new Float32Array(start.length), square: new Float32Array(start.length) }
}

/** Takes step t ≥ 1 with bias-corrected moments: X ← (1 − ηλ) X − η m̂ / (√v̂ + ε) (arXiv 1711.05101). */
export function adamwStep({ value, mean, square }: Trained, gradient: Float32Array, t: number, by: AdamW): void {
  const { rate, beta1, beta2, epsilon, weightDecay } = by
  const [first, second] = [1 - beta1 ** t, Math.sqrt(1 - beta2 ** t)]
  for (let i = 0; i < value.length; i++) {
    const g = gradient[i]!
    mean[i] = beta1 * mean[i]! + (1 - beta1) * g
    square[i] = beta2 * square[i]! + (1 - beta2) * g * g
    const direction = mean[i]! / first / (Math.sqrt(square[i]!) / second + epsilon)
    value[i] = value[i]! * (1 - rate * weightDecay) - rate * direction
  }
}

/**
 * Scales gradients in place so that their joint norm is at most `bound`, as torch.nn.utils.clip_grad_norm_ does; gives
 * the norm before.
 */
export function clipNorm(gradients: readonly Float32Array[], bound: number): number {
  const norm = Math.sqrt(gradients.reduce((sum, all) => all.reduce((own, g) => own + g * g, sum), 0))
  const factor = bound / (norm + 1e-6)
  if (factor < 1) for (const all of gradients) for (let i = 0; i < all.length; i++) all[i]! *= factor
  return norm
}

/**
 * The rate of step t ≥ 1, as transformers' get_linear_schedule_with_warmup and get_constant_schedule_with_warmup have
 * it.
 */
export function rateAt(t: number, { rate, warmup, steps, decay }: Schedule): number {
  const done = t - 1
  if (done < warmup) return (rate * done) / Math.max(1, warmup)
  return decay === "none" ? rate : rate * Math.max(0, (steps - done) / Math.max(1, steps - warmup))
}
