import { InputError } from "../inputError.js"
import { oneOf, positive } from "../optionText.js"
import { PRECISIONS, type PrecisionName } from "../train/precision.js"
import { DYNAMIC, type PrecisionConfig, precisionOf, ROLES } from "../train/precisionConfig.js"

/** The options of a precision as typed. */
export interface PrecisionOptions {
  readonly precision?: string
  readonly in: readonly string[]
  readonly accumulator?: string
  readonly rounding?: string
  readonly overflow?: string
  readonly lossScale?: string
}

/**
 * The precision that the options name, as a field of a run's configuration; nothing without `--precision`.
 *
 * @throws InputError for an unknown name, or options of a precision without one.
 */
export function precisionOption(options: PrecisionOptions): { precision?: PrecisionConfig } {
  const { precision, accumulator, rounding, overflow, lossScale } = options
  if (precision === undefined) {
    const details = {
      "--accumulator": accumulator,
      "--rounding": rounding,
      "--overflow": overflow,
      "--loss-scale": lossScale,
    }
    const [field] = Object.entries({ ...details, "--in": options.in[0] }).find(([, given]) => given !== undefined) ?? []
    if (field === undefined) return {}
    throw new InputError({
      field,
      given: "no --precision",
      allowed: "only beside --precision",
      example: `--precision float16 ${field} …`,
    })
  }
  const name = format("--precision", precision)
  const parts = options.in.map((text) => {
    const match = /^(.+)=([^=]+)$/.exec(text)
    if (match === null)
      throw new InputError({ field: "--in", given: text, allowed: "part=format", example: "--in weights=float32" })
    return [match[1]!, format("--in", match[2]!)] as const
  })
  const isRole = ([part]: readonly [string, PrecisionName]) => ROLES.some((role) => role === part)
  const tensors = Object.fromEntries(parts.filter((part) => !isRole(part)))
  return {
    precision: precisionOf(name, {
      ...Object.fromEntries(parts.filter(isRole)),
      ...(accumulator === undefined
        ? {}
        : { accumulator: accumulator === "same" ? name : format("--accumulator", accumulator) }),
      ...(rounding === undefined ? {} : { rounding: oneOf("--rounding", rounding, ["nearest", "stochastic"]) }),
      ...(overflow === undefined ? {} : { overflow: oneOf("--overflow", overflow, ["special", "saturate"]) }),
      ...(lossScale === undefined
        ? {}
        : { lossScale: lossScale === "dynamic" ? DYNAMIC : positive("--loss-scale", lossScale) }),
      ...(Object.keys(tensors).length === 0 ? {} : { tensors }),
    }),
  }
}

function format(field: string, text: string): PrecisionName {
  return oneOf(field, text, PRECISIONS)
}
