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
  private cachedKey: string | undefined

  /** @param coefficients sorted by name, none of them 0. */
  private constructor(constant: Fraction, coefficients: ReadonlyMap<string, Fraction>) {
    this.constant = constant
    this.coefficients = coefficients
  }

  /** Canonical text, equal exactly for equal forms. */
  get key(): string {
    this.cachedKey ??= [...this.coefficients, ["", this.constant] as const]
      .map(([name, q]) => `${q.s * q.n}/${q.d}${name}`)
      .join("+")
    return this.cachedKey
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
    const constant = this.constant.add(other.constant)
    if (other.coefficients.size === 0) return new Affine(constant, this.coefficients)
    if (this.coefficients.size === 0) return new Affine(constant, other.coefficients)
    const names = [...new Set([...this.coefficients.keys(), ...other.coefficients.keys()])].sort()
    const coefficients = new Map<string, Fraction>()
    for (const name of names) {
      const [p, q] = [this.coefficients.get(name), other.coefficients.get(name)]
      const sum = p && q ? p.add(q) : (p ?? q)!
      if (sum.n !== 0n) coefficients.set(name, sum)
    }
    return new Affine(constant, coefficients)
  }

  minus(other: Affine): Affine {
    return this.plus(other.times(-1))
  }

  /** The form multiplied by a rational. */
  times(factor: Rational): Affine {
    const q = new Fraction(factor)
    if (q.n === 0n) return Affine.ZERO
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
