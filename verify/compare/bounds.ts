import type { Fraction } from "fraction.js"
import { atStep, type Derivation } from "../../src/derive/derive.js"
import type { Affine } from "../../src/exponent/affine.js"
import { Condition } from "../../src/exponent/condition.js"

/**
 * The largest exponent of a symbol at which the named quantities are O(1) at t = 1 … last; null where it is not
 * bounded.
 *
 * A bound for all t can be lower: a cycle of positive weight needs steps to show.
 *
 * @param values every other symbol of the derivation.
 */
export function boundThrough(
  { quantities }: Derivation,
  {
    names,
    last,
    symbol,
    values,
  }: {
    readonly names: readonly string[]
    readonly last: number
    readonly symbol: string
    readonly values: ReadonlyMap<string, Affine>
  },
): Fraction | null {
  const steps = Array.from({ length: last }, (_, i) => i + 1)
  const sizes = names.flatMap((name) => steps.map((t) => atStep(quantities[name]!, t)!.substitute(values)))
  const bounded = sizes.flatMap(({ minima }) =>
    minima.map((forms) => Condition.NEVER.or(...forms.map((form) => Condition.where(form, "<=")))),
  )
  return largest(Condition.ALWAYS.and(...bounded), symbol)
}

/** The least of some forms at a point. */
export function leastAt(forms: readonly Affine[], values: ReadonlyMap<string, Affine>): Fraction {
  return forms.map((form) => form.substitute(values).constant).reduce((x, y) => (x.lte(y) ? x : y))
}

/** The largest value of the only symbol of a condition; null where there is none. */
function largest(condition: Condition, symbol: string): Fraction | null {
  const bounds = condition.pieces.map((piece) => {
    const above = piece.filter(({ form, relation }) => relation === "==" || form.coefficient(symbol).compare(0) > 0)
    const values = above.map(({ form }) => form.constant.neg().div(form.coefficient(symbol)))
    return values.length === 0 ? null : values.reduce((x, y) => (x.lte(y) ? x : y))
  })
  if (bounds.length === 0 || bounds.includes(null)) return null
  return (bounds as Fraction[]).reduce((x, y) => (x.gte(y) ? x : y))
}
