import { Fraction } from "fraction.js"
import type { Affine } from "../exponent/affine.js"
import type { Relation } from "../exponent/exponent.js"
import type { MaxPlus } from "../exponent/maxPlus.js"
import { InputError } from "../inputError.js"
import { type Scheme, scheme } from "../scheme/scheme.js"
import { atStep, recursion } from "./recursion.js"

/** A quantity at one step of a scheme without free symbols: its exponent and the other terms of its max. */
export type Terms =
  | { readonly kind: "zero" }
  | {
      readonly kind: "power"
      readonly exponent: Fraction
      /** The other terms of the max, largest first. */
      readonly others: readonly Fraction[]
      /**
       * Gaps > 0, smallest first: the size is n^exponent (1 + Σ O(n^−gap)). Adam's quotient approaches its limit as the
       * terms of its moments separate; two leading terms of equal exponent that are independent overlap by n^(−1/2).
       */
      readonly corrections: readonly Fraction[]
      readonly relation: Relation
    }

/**
 * All terms of each quantity's max at step t, for a scheme whose symbols are all set.
 *
 * With numbers in place a max keeps only its largest term; so the same scheme is derived once more with a symbol for
 * each start and rate, and its forms are evaluated at the scheme's numbers.
 *
 * @throws InputError if the scheme has a free symbol.
 */
export function termsOf(concrete: Scheme): (quantity: string, t: number) => Terms {
  if (concrete.symbols.length > 0)
    throw new InputError({
      field: "--set",
      given: `free symbols ${concrete.symbols.join(", ")}`,
      allowed: "a value for every symbol",
      example: `--set ${concrete.symbols[0]}=-1/2`,
    })
  const { definition, start, rates } = concrete
  const symbolic = (side: "A" | "B") => (start[side] === "zero" ? "zero" : { exponent: `start${side}` })
  const generic = scheme({
    ...definition,
    start: { A: symbolic("A"), B: symbolic("B") },
    rates: { A: "rateA", B: "rateB" },
  })
  const { quantities } = recursion(generic)
  const point = new Map([
    ["rateA", rates.A],
    ["rateB", rates.B],
    ...(["A", "B"] as const).flatMap((side): [string, Affine][] => {
      const deviation = start[side]
      return deviation === "zero" ? [] : [[`start${side}`, deviation.power]]
    }),
  ])
  return (quantity, t) => {
    const steps = quantities[quantity]!
    const exponent = atStep(steps, t)
    const [leading, ...terms] = descending(exponent.value, point)
    if (leading === undefined) return { kind: "zero" }
    const moments = steps.moments[t - 1] ?? steps.moments.at(-1)!
    const corrections = moments.flatMap((moment) => {
      const [most, ...rest] = descending(moment, point)
      return rest.map((value) => most!.sub(value))
    })
    const leaders = exponent.value.forms.filter((form) => form.substitute(point).constant.equals(leading))
    if (leaders.length > 1) corrections.push(new Fraction(1, 2))
    return {
      kind: "power",
      exponent: leading,
      others: terms,
      corrections: distinct(corrections).reverse(),
      relation: exponent.relation,
    }
  }
}

function descending({ forms }: MaxPlus, point: ReadonlyMap<string, Affine>): Fraction[] {
  return distinct(forms.map((form) => form.substitute(point).constant))
}

function distinct(values: readonly Fraction[]): Fraction[] {
  return [...values].sort((x, y) => y.compare(x)).filter((q, i, all) => i === 0 || !q.equals(all[i - 1]!))
}
