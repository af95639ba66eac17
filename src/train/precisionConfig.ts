import { InputError } from "../inputError.js"
import { PRECISIONS, type PrecisionName, type RoundingMode } from "./precision.js"

/** The roles of a program's tensors, each with a format of its own. */
export const ROLES = ["weights", "activations", "gradients", "state"] as const

/** The role of a tensor. */
export type PrecisionRole = (typeof ROLES)[number]

/** A loss scale that is halved when a gradient overflows and doubled after `growthEvery` good steps in a row. */
export interface DynamicLossScale {
  readonly initial: number
  readonly growthEvery: number
}

/** In which formats a program is read; plain data, so that it is part of a run's identity. */
export interface PrecisionConfig extends Readonly<Record<PrecisionRole, PrecisionName>> {
  /** Every partial sum of a matrix product is rounded to it, in the order of the index; products are exact. */
  readonly accumulator: PrecisionName
  /** For every rounding of the run, partial sums too. */
  readonly rounding: RoundingMode
  /** What becomes of a number beyond the format's largest: its infinity (in e4m3 NaN), or the largest of its sign. */
  readonly overflow: "special" | "saturate"
  /** What the loss is multiplied by before its gradients are taken, and they are divided by. */
  readonly lossScale: number | DynamicLossScale
  /** Formats of single tensors by their name in a run's record, in place of their role's. */
  readonly tensors?: Readonly<Record<string, PrecisionName>>
}

/** What mixed-precision libraries start a dynamic loss scale with (torch.amp.GradScaler). */
export const DYNAMIC: DynamicLossScale = { initial: 65536, growthEvery: 2000 }

/**
 * One format for every role, with sums in float32 unless the format is wider, rounding to nearest and no loss scale.
 *
 * @throws InputError for the name of no format, or a loss scale that is not a number > 0.
 */
export function precisionOf(name: PrecisionName, given: Partial<PrecisionConfig> = {}): PrecisionConfig {
  const config: PrecisionConfig = {
    weights: name,
    activations: name,
    gradients: name,
    state: name,
    accumulator: name === "float64" ? "float64" : "float32",
    rounding: "nearest",
    overflow: "special",
    lossScale: 1,
    ...given,
  }
  for (const role of [...ROLES, "accumulator"] as const) requireFormat(role, config[role])
  for (const [tensor, format] of Object.entries(config.tensors ?? {})) requireFormat(tensor, format)
  const { lossScale } = config
  const numbers = typeof lossScale === "number" ? [lossScale] : [lossScale.initial, lossScale.growthEvery]
  if (!numbers.every((x) => x > 0 && Number.isFinite(x)))
    throw new InputError({ field: "lossScale", given: lossScale, allowed: "a number > 0, or dynamic", example: "1024" })
  return config
}

function requireFormat(field: string, given: string): void {
  if (!PRECISIONS.some((name) => name === given))
    throw new InputError({ field, given, allowed: PRECISIONS.join(", "), example: "float16" })
}
