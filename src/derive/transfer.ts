import type { Affine } from "../exponent/affine.js"
import { InputError } from "../inputError.js"
import type { Derivation } from "./derive.js"

/** A width n and a rank r. */
export interface Shape {
  readonly width: number
  readonly rank: number
}

/** How a scheme's largest stable rate moves between two shapes. */
export interface BoundTransfer {
  /** The bound's form in rho that rules at both shapes: the rate is n^form with r = n^rho. */
  readonly exponent: Affine
  /** The largest stable rate at the target over that at the origin. */
  readonly factor: number
  /** Whether another form of the bound rules at the other shape: the smaller of the two factors is given. */
  readonly crosses: boolean
}

/**
 * The ratio of the largest stable rates at two shapes: with r = n^ρ a form a + bρ of the bound is n^a r^b, and the least form
 * rules. Constants are not derived; they cancel in the ratio where one form rules at both.
 *
 * @returns null where the scheme has no largest rate: two free rates, or none.
 * @throws InputError for symbols other than ρ in the bound, which need values.
 */
export function boundTransfer(
  { largestRate, scheme }: Derivation,
  level: "features" | "output",
  from: Shape,
  to: Shape,
): BoundTransfer | null {
  const forms = largestRate[level]
  if (forms === null) return null
  const unknown = forms.flatMap(({ symbols }) => symbols).filter((symbol) => symbol !== "rho")
  if (unknown.length > 0)
    throw new InputError({
      field: "--set",
      given: `no value for ${[...new Set(unknown)].join(", ")}`,
      allowed: `a value for each symbol of ${scheme.definition.name} but the rate and rho`,
      example: `--set ${unknown[0]}=0`,
    })
  const ruling = ({ width, rank }: Shape) => {
    const rho = Math.log(rank) / Math.log(width)
    const value = (form: Affine) => form.constant.valueOf() + rho * form.coefficient("rho").valueOf()
    return forms.reduce((least, form) => (value(form) < value(least) ? form : least))
  }
  const factor = (form: Affine) =>
    (to.width / from.width) ** form.constant.valueOf() * (to.rank / from.rank) ** form.coefficient("rho").valueOf()
  const [start, end] = [ruling(from), ruling(to)]
  const exponent = factor(start) <= factor(end) ? start : end
  return { exponent, factor: factor(exponent), crosses: start.key !== end.key }
}
