import type { Fraction } from "fraction.js"
import { Affine } from "../exponent/affine.js"
import type { Inequality } from "../exponent/simplex.js"
import { type Constraint, witness } from "../exponent/system.js"

/**
 * Multipliers mᵢ ≥ 0 with `form ≤ Σ mᵢ · hypothesisᵢ` (Farkas), which prove `form ≤ 0`, or `form < 0` where it is
 * strict.
 *
 * They exist whenever the inequality follows from hypotheses that have a common point; for hypotheses that have none,
 * the form 1 gets the multipliers that show the contradiction.
 *
 * @throws Error if there are none.
 */
export function farkas({ form, strict }: Inequality, hypotheses: readonly Inequality[]): Fraction[] {
  const names = hypotheses.map((_, i) => `m${i}`)
  const multipliers = names.map((name) => Affine.symbol(name))
  const weighted = (weight: (hypothesis: Inequality) => Fraction | number) =>
    hypotheses.reduce((sum, hypothesis, i) => sum.plus(multipliers[i]!.times(weight(hypothesis))), Affine.ZERO)
  const symbols = [...new Set([form, ...hypotheses.map((hypothesis) => hypothesis.form)].flatMap((f) => f.symbols))]
  const excess = Affine.constant(form.constant).minus(weighted((hypothesis) => hypothesis.form.constant))
  const system: Constraint[] = [
    ...multipliers.map((m): Constraint => ({ form: m.negated, relation: "<=" })),
    ...symbols.map((symbol): Constraint => {
      const sum = weighted((hypothesis) => hypothesis.form.coefficient(symbol))
      return { form: sum.minus(Affine.constant(form.coefficient(symbol))), relation: "==" }
    }),
    { form: excess, relation: "<=" },
  ]
  if (strict) system.push({ form: excess.minus(weighted((hypothesis) => (hypothesis.strict ? 1 : 0))), relation: "<" })
  const found = witness(system)
  if (found === null) throw new Error("no Farkas multipliers: the inequality does not follow")
  return names.map((name) => Affine.symbol(name).at(found))
}
