import { Fraction } from "fraction.js"

/** A rational number as it may be given: exact text such as "-1/2", an integer, or a Fraction. */
export type Rational = Fraction | bigint | number | string

/**
 * An affine form q₀ + Σ qᵢ·symbolᵢ with rational coefficients: one finite exponent as a function of symbols.
 *
 * Immutable. Zero coefficients are never stored, so equal forms have equal keys.
 */
export class Affine {
  static readonly ZERO = new Affine(new Fraction(0), new Map())

  /** Symbols in the order in which they are printed, each with its coefficient ≠ 0. */
  readonly coefficients: ReadonlyMap<string, Fraction>
  readonly constant: Fraction
  /** Canonical text, equal exactly for equal forms. */
  readonly key: string

  private constructor(constant: Fraction, coefficients: ReadonlyMap<string, Fraction>) {
    this.constant = constant
    this.coefficients = new Map(
      [...coefficients].filter(([, q]) => q.n !== 0n).sort(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0)),
    )
    this.key = [...this.coefficients, ["", constant] as const].map(([name, q]) => `${q.toFraction()}${name}`).join("+")
  }

  /** The constant form with the given value. */
  static constant(value: Rational): Affine {
    return new Affine(new Fraction(value), new Map())
  }

  /** The form that is the named symbol. */
  static symbol(name: string): Affine {
    return new Affine(new Fraction(0), new Map([[name, new Fraction(1)]]))
  }

  plus(other: Affine): Affine {
    const coefficients = new Map(this.coefficients)
    for (const [name, q] of other.coefficients) coefficients.set(name, q.add(coefficients.get(name) ?? 0))
    return new Affine(this.constant.add(other.constant), coefficients)
  }

  minus(other: Affine): Affine {
    return this.plus(other.times(-1))
  }

  /** The form multiplied by a rational. */
  times(factor: Rational): Affine {
    const q = new Fraction(factor)
    return new Affine(this.constant.mul(q), new Map([...this.coefficients].map(([name, p]) => [name, p.mul(q)])))
  }

  /** The form with the given symbols replaced by forms; other symbols stay. */
  substitute(values: ReadonlyMap<string, Affine>): Affine {
    let result = Affine.constant(this.constant)
    for (const [name, q] of this.coefficients) result = result.plus((values.get(name) ?? Affine.symbol(name)).times(q))
    return result
  }

  /** The value at a point; symbols that the point does not name count as 0. */
  at(point: ReadonlyMap<string, Fraction>): Fraction {
    let value = this.constant
    for (const [name, q] of this.coefficients) {
      const x = point.get(name)
      if (x !== undefined) value = value.add(q.mul(x))
    }
    return value
  }

  get isConstant(): boolean {
    return this.coefficients.size === 0
  }

  get symbols(): string[] {
    return [...this.coefficients.keys()]
  }

  coefficient(name: string): Fraction {
    return this.coefficients.get(name) ?? new Fraction(0)
  }
}
