import { Affine } from "../exponent/affine.js"
import { InputError } from "../inputError.js"
import type { Derivation } from "./derive.js"

/** The sizes of a run on which its largest stable rate may depend. */
export interface LayerShape {
  /** n, the layer's width; of a layer whose input has another, the output's. */
  readonly width: number
  /** r. */
  readonly rank: number
  /** By default the width. */
  readonly inputWidth?: number
  /** What B A is multiplied by, α/r in PEFT; default 1. */
  readonly multiplier?: number
  /** The rate of B over that of A; default 1. */
  readonly ratio?: number
}

/**
 * The symbol that stands for each size: the rank is n^rho, the input width n^d, the multiplier n^s, the ratio n^lambda.
 */
export const SIZE_SYMBOLS = { inputWidth: "d", rank: "rho", multiplier: "s", ratio: "lambda" } as const

/** What one size does to the largest stable rate: multiplies it by (to / from)^exponent. */
export interface SizeFactor {
  readonly size: keyof LayerShape
  readonly exponent: Affine
  readonly factor: number
}

/** How a scheme's largest stable rate moves between two shapes. */
export interface BoundTransfer {
  /** The bound's form that rules at both shapes: the rate is n^form with the rank n^rho and so on. */
  readonly exponent: Affine
  /** The largest stable rate at the target over that at the origin. */
  readonly factor: number
  /** The factor taken apart; sizes on which the form does not depend have factor 1. */
  readonly parts: readonly SizeFactor[]
  /** Whether another form of the bound rules at the other shape: the smaller of the two factors is given. */
  readonly crosses: boolean
}

/**
 * The ratio of the largest stable rates at two shapes: with r = n^ρ a form a + bρ of the bound is n^a r^b, and the
 * least form rules. Constants are not derived; they cancel in the ratio where one form rules at both.
 *
 * @returns null where the scheme has no largest rate: two free rates, or none.
 * @throws InputError for symbols in the bound that are no sizes, which need values.
 */
export function boundTransfer(
  derivation: Derivation,
  level: "features" | "output",
  from: LayerShape,
  to: LayerShape,
): BoundTransfer | null {
  const [start, end] = [rulingForm(derivation, level, from), rulingForm(derivation, level, to)]
  if (start === null || end === null) return null
  const [first, second] = [moved(start, from, to), moved(end, from, to)]
  return { ...(first.factor <= second.factor ? first : second), crosses: start.key !== end.key }
}

/** The factor by which a form of the bound moves between two shapes. */
export function moved(form: Affine, from: LayerShape, to: LayerShape): Omit<BoundTransfer, "crosses"> {
  const parts = SIZES.map((size) => {
    const exponent = exponentOf(form, size)
    return { size, exponent, factor: (sizeIn(to, size) / sizeIn(from, size)) ** exponent.constant.valueOf() }
  })
  return { exponent: form, parts, factor: parts.reduce((product, { factor }) => product * factor, 1) }
}

/**
 * The form of the bound that is least at a shape; null where there is no largest rate.
 * @throws InputError as
 * `boundTransfer`.
 */
export function rulingForm(
  { largestRate, scheme }: Derivation,
  level: "features" | "output",
  shape: LayerShape,
): Affine | null {
  const forms = largestRate[level]
  if (forms === null) return null
  const known: readonly string[] = Object.values(SIZE_SYMBOLS)
  const unknown = forms.flatMap(({ symbols }) => symbols).filter((symbol) => !known.includes(symbol))
  if (unknown.length > 0)
    throw new InputError({
      field: "--set",
      given: `no value for ${[...new Set(unknown)].join(", ")}`,
      allowed: `a value for each symbol of ${scheme.definition.name} but the rate and sizes`,
      example: `--set ${unknown[0]}=0`,
    })
  const value = (form: Affine) =>
    SIZES.reduce((sum, size) => sum + exponentOf(form, size).constant.valueOf() * Math.log(sizeIn(shape, size)), 0)
  return forms.reduce((least, form) => (value(form) < value(least) ? form : least))
}

const SIZES = ["width", "inputWidth", "rank", "multiplier", "ratio"] as const

function sizeIn(shape: LayerShape, size: (typeof SIZES)[number]): number {
  return shape[size] ?? (size === "inputWidth" ? shape.width : 1)
}

function exponentOf(form: Affine, size: (typeof SIZES)[number]): Affine {
  return Affine.constant(size === "width" ? form.constant : form.coefficient(SIZE_SYMBOLS[size]))
}
