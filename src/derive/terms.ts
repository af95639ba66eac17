import { Fraction } from "fraction.js"
import { Affine } from "../exponent/affine.js"
import { MaxPlus } from "../exponent/maxPlus.js"
import { InputError } from "../inputError.js"
import { type Scheme, withExponents } from "../scheme/checkedScheme.js"
import { isPair } from "../scheme/definition.js"
import { Cell } from "./cell.js"
import { MOST_STEPS, recursion, stepByStep } from "./recursion.js"
import type { Relation, Size } from "./size.js"
import { Underivable } from "./underivable.js"

/** A quantity at one step of a scheme without free symbols: its exponent and the other terms of its max. */
export type Terms =
  | { readonly kind: "zero" }
  | {
      readonly kind: "power"
      readonly exponent: Fraction
      /** The other terms of the max, largest first. */
      readonly others: readonly Fraction[]
      /** Whether all terms are of different parity: then they are independent up to n^(−1/2), and their squares add. */
      readonly orthogonal: boolean
      /**
       * Gaps > 0, smallest first: the size is n^exponent (1 + Σ O(n^−gap)). A sign, Adam's quotient or a clipped step
       * approaches its limit as the terms of its argument (of the norm and its bound) separate (the share of entries
       * that the smaller one decides is n^−gap; where it is not known which of them is there, any gap between two of
       * them); two leading terms of equal exponent that are independent overlap by n^(−1/2); the columns of a batch
       * overlap by n^(−1/2) of either sign, so that mean squares see its square.
       */
      readonly corrections: readonly Fraction[]
      readonly relation: Relation
      /** Whether the leading term may come with a factor log n (see `Size`). */
      readonly logarithmic: boolean
    }

/**
 * All terms of each quantity's max at step t, for a scheme whose symbols are all set.
 *
 * The scheme is read in the cell around its own point, with a symbol for each start and rate, so that terms that are
 * equal by these numbers only are told apart; each term is then evaluated at the numbers.
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
  const { definition } = concrete
  const point = new Map<string, Fraction>()
  const symbol = (name: string, own: Affine) => {
    point.set(name, own.constant)
    return Affine.symbol(name)
  }
  // Adapters with one rate share its symbol: a symbol each would tell apart what is one term.
  const site = (i: number) => (isPair(definition.rates) ? "" : String(i + 1))
  const generic = withExponents(concrete, {
    start: (side, own) => symbol(`start${side}`, own),
    rate: (tensor, i, own) => symbol(`rate${tensor}${site(i)}`, own),
  })
  const sizesAt = stepByStep(generic, new Cell(point, true))
  return (quantity, t) => {
    const at = sizesAt(t) ?? recursion(generic, new Cell(point, true))?.steps.at(-1)
    if (at === undefined)
      throw new Underivable(definition.name, `step ${t} lies in a transient of which ${MOST_STEPS} steps are read`)
    const size = at.sizes[quantity]
    if (!size) return { kind: "zero" }
    const [leading, ...others] = descending(size, point)
    const corrections = at.moments[quantity]!.flatMap((moment) => gapsOf(descending(moment, point), moment.relation))
    if (definition.batch !== undefined && definition.batch > 1) corrections.push(new Fraction(1))
    const leads = (form: Affine) => form.at(point).equals(leading!)
    if (size.terms.filter(leads).length > 1 && MaxPlus.of(...size.terms).forms.filter(leads).length > 1)
      corrections.push(new Fraction(1, 2))
    return {
      kind: "power",
      exponent: leading!,
      others,
      orthogonal: at.orthogonal.has(quantity),
      corrections: distinct(corrections).reverse(),
      relation: size.relation,
      logarithmic: size.logarithmic,
    }
  }
}

/** The gaps below the leading value; where that is a bound and need not be there, those below any other too. */
function gapsOf(values: readonly Fraction[], relation: Relation): Fraction[] {
  const leaders = relation === "equal" ? values.slice(0, 1) : values
  return leaders.flatMap((leader, i) => values.slice(i + 1).map((value) => leader.sub(value)))
}

/**
 * The values of all terms, largest first: those too that lead nowhere, as n^(1/2) between 1 and n in (1 + n^(1/2))².
 */
function descending({ terms }: Size, point: ReadonlyMap<string, Fraction>): Fraction[] {
  return distinct(terms.map((form) => form.at(point)))
}

function distinct(values: readonly Fraction[]): Fraction[] {
  return [...values].sort((x, y) => y.compare(x)).filter((q, i, all) => i === 0 || !q.equals(all[i - 1]!))
}
