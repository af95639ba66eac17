import { Affine } from "./affine.js"
import { isFeasible } from "./system.js"

/**
 * An element of the max-plus semiring over ℚ ∪ {−∞} in symbols: a finite set of affine forms, read as their max.
 *
 * The empty set is −∞, `max` is union, `plus` is the Minkowski sum, so the semiring laws hold by construction and no
 * infinity is ever computed with. Forms that nowhere exceed all others are dropped, which makes the set canonical: two
 * elements are equal as functions iff their keys are equal.
 */
export class MaxPlus {
  /** γ[0]: the neutral element of `max`, absorbing under `plus`. */
  static readonly NEGATIVE_INFINITY = new MaxPlus([])
  /** γ[1]: the neutral element of `plus`. */
  static readonly ZERO = new MaxPlus([Affine.ZERO])

  readonly forms: readonly Affine[]
  readonly key: string

  private constructor(forms: readonly Affine[]) {
    this.forms = forms
    this.key = forms.map((form) => form.key).join(" | ")
  }

  /** The max of the given affine forms; −∞ for none. */
  static of(...forms: readonly Affine[]): MaxPlus {
    return new MaxPlus(essential(forms))
  }

  /** The largest of the elements: γ of a sum whose leading terms do not cancel ([Init], sum rule). */
  static max(...elements: readonly MaxPlus[]): MaxPlus {
    return MaxPlus.of(...elements.flatMap((element) => element.forms))
  }

  /** The sum of the exponents: γ of a product ([Init], product rule), −∞ absorbing. */
  plus(other: MaxPlus): MaxPlus {
    return MaxPlus.of(...this.forms.flatMap((x) => other.forms.map((y) => x.plus(y))))
  }

  /** The exponent times a rational ≥ 0: γ of a power. */
  times(factor: number | string): MaxPlus {
    return MaxPlus.of(...this.forms.map((form) => form.times(factor)))
  }

  /** The element with the given symbols replaced by forms. */
  substitute(values: ReadonlyMap<string, Affine>): MaxPlus {
    return MaxPlus.of(...this.forms.map((form) => form.substitute(values)))
  }

  get isNegativeInfinity(): boolean {
    return this.forms.length === 0
  }

  get symbols(): string[] {
    return [...new Set(this.forms.flatMap((form) => form.symbols))].sort()
  }

  equals(other: MaxPlus): boolean {
    return this.key === other.key
  }

  /** Whether this is nowhere larger than the other. */
  isAtMost(other: MaxPlus): boolean {
    return MaxPlus.max(this, other).equals(other)
  }
}

/** The forms that are the strict max somewhere, sorted: the max of the rest is unchanged by leaving the others out. */
function essential(forms: readonly Affine[]): Affine[] {
  let kept = [...new Map(forms.map((form) => [form.key, form])).values()].sort(byShape)
  for (const candidate of [...kept]) {
    const others = kept.filter((form) => form !== candidate)
    const exceedsAll = others.map((form) => ({ form: form.minus(candidate), relation: "<" as const }))
    if (others.length > 0 && !isFeasible(exceedsAll)) kept = others
  }
  return kept
}

/** Fewest symbols first, then by name: the order in which people write `max(0, c + 1)`. */
function byShape(x: Affine, y: Affine): number {
  const [p, q] = [x.symbols, y.symbols]
  return p.length - q.length || (p.join() < q.join() ? -1 : p.join() > q.join() ? 1 : x.key < y.key ? -1 : 1)
}
