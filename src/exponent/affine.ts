import { Fraction } from "fraction.js"

/** A rational number as it may be given: exact text such as "-1/2", an integer, or a Fraction. */
export type Rational = Fraction | bigint | number | string

const ZERO = new Fraction(0)

/** Whole numbers up to this have a product that a number holds exactly. */
const SMALL = 2n ** 26n

/** Forms remembered at most, sums of each, and texts of rationals. */
const MOST_KNOWN = 200_000
const MOST_SUMS = 2_000
const MOST_PARSED = 1_000

/** scale times a form, the least that has integers only. */
export interface WholeForm {
  readonly scale: bigint
  readonly constant: bigint
  readonly coefficients: ReadonlyMap<string, bigint>
}

/**
 * An affine form q₀ + Σ qᵢ·symbolᵢ with rational coefficients: one finite exponent as a function of symbols.
 *
 * Immutable. Zero coefficients are never stored, so equal forms have equal keys. A derivation adds the same few forms
 * over and over, so forms and their sums are remembered; nothing depends on it.
 */
export class Affine {
  private static readonly known = new Map<string, Affine>()
  static readonly ZERO = Affine.of(ZERO, new Map())

  /** Symbols in the order in which they are printed, each with its coefficient ≠ 0. */
  readonly coefficients: ReadonlyMap<string, Fraction>
  readonly constant: Fraction
  /** Canonical text, equal exactly for equal forms. */
  readonly key: string
  private sums: Map<Affine, Affine> | undefined
  private opposite: Affine | undefined
  private cachedScaled: Affine | undefined
  private cachedLinear: Affine | undefined
  private cachedWhole: WholeForm | undefined
  /** A cell asks for values at its point over and over. */
  private lastPoint: ReadonlyMap<string, Fraction> | undefined
  private lastValue: Fraction = ZERO
  /** The last value's whole numbers; a denominator of 0 where they are not small. */
  private numerator = 0
  private denominator = 1

  private constructor(constant: Fraction, coefficients: ReadonlyMap<string, Fraction>, key: string) {
    this.constant = constant
    this.coefficients = coefficients
    this.key = key
  }

  /** @param coefficients sorted by name, none of them 0. */
  private static of(constant: Fraction, coefficients: ReadonlyMap<string, Fraction>): Affine {
    let key = `${constant.s * constant.n}/${constant.d}`
    for (const [name, q] of coefficients) key += `+${q.s * q.n}/${q.d}${name}`
    const seen = Affine.known.get(key)
    if (seen !== undefined) return seen
    if (Affine.known.size >= MOST_KNOWN) Affine.known.clear()
    const form = new Affine(constant, coefficients, key)
    Affine.known.set(key, form)
    return form
  }

  /** The constant form with the given value. */
  static constant(value: Rational): Affine {
    return Affine.of(fractionOf(value), new Map())
  }

  /** The form that is the named symbol. */
  static symbol(name: string): Affine {
    return Affine.of(ZERO, new Map([[name, new Fraction(1)]]))
  }

  plus(other: Affine): Affine {
    this.sums ??= new Map()
    const seen = this.sums.get(other)
    if (seen !== undefined) return seen
    const sum = this.added(other)
    if (this.sums.size >= MOST_SUMS) this.sums.clear()
    this.sums.set(other, sum)
    return sum
  }

  private added(other: Affine): Affine {
    const constant = this.constant.add(other.constant)
    if (other.coefficients.size === 0) return Affine.of(constant, this.coefficients)
    if (this.coefficients.size === 0) return Affine.of(constant, other.coefficients)
    const names = [...new Set([...this.coefficients.keys(), ...other.coefficients.keys()])].sort()
    const coefficients = new Map<string, Fraction>()
    for (const name of names) {
      const [p, q] = [this.coefficients.get(name), other.coefficients.get(name)]
      const sum = p && q ? p.add(q) : (p ?? q)!
      if (sum.n !== 0n) coefficients.set(name, sum)
    }
    return Affine.of(constant, coefficients)
  }

  minus(other: Affine): Affine {
    return this === other ? Affine.ZERO : this.plus(other.negated)
  }

  /** The form times −1. */
  get negated(): Affine {
    if (this.opposite === undefined) {
      this.opposite = this.times(-1)
      this.opposite.opposite = this
    }
    return this.opposite
  }

  /** The form multiplied by a rational. */
  times(factor: Rational): Affine {
    const q = fractionOf(factor)
    if (q.n === 0n) return Affine.ZERO
    return Affine.of(this.constant.mul(q), new Map([...this.coefficients].map(([name, p]) => [name, p.mul(q)])))
  }

  /** The positive multiple whose first coefficient is ±1; the form itself where it is constant. */
  get scaled(): Affine {
    const [first] = this.coefficients.values()
    this.cachedScaled ??= first === undefined ? this : this.times(first.abs().inverse())
    return this.cachedScaled
  }

  /** The form in integers. */
  get whole(): WholeForm {
    if (this.cachedWhole !== undefined) return this.cachedWhole
    const scale = [this.constant, ...this.coefficients.values()].reduce((d, q) => leastCommonMultiple(d, q.d), 1n)
    const times = (q: Fraction) => q.s * q.n * (scale / q.d)
    const coefficients = new Map([...this.coefficients].map(([name, q]) => [name, times(q)]))
    this.cachedWhole = { scale, constant: times(this.constant), coefficients }
    return this.cachedWhole
  }

  /** The form without its constant. */
  get linear(): Affine {
    this.cachedLinear ??= Affine.of(ZERO, this.coefficients)
    return this.cachedLinear
  }

  /** The form with the given symbols replaced by forms; other symbols stay. */
  substitute(values: ReadonlyMap<string, Affine>): Affine {
    let result = Affine.constant(this.constant)
    for (const [name, q] of this.coefficients) result = result.plus((values.get(name) ?? Affine.symbol(name)).times(q))
    return result
  }

  /** The value at a point; symbols that the point does not name count as 0. */
  at(point: ReadonlyMap<string, Fraction>): Fraction {
    if (this.lastPoint === point) return this.lastValue
    let value = this.constant
    for (const [name, q] of this.coefficients) {
      const x = point.get(name)
      if (x !== undefined) value = value.add(q.mul(x))
    }
    this.lastPoint = point
    this.lastValue = value
    const isSmall = value.n <= SMALL && value.d <= SMALL
    this.numerator = isSmall ? Number(value.s * value.n) : 0
    this.denominator = isSmall ? Number(value.d) : 0
    return value
  }

  /**
   * The order of two forms' values at a point, as a number less than, equal to or greater than 0. Products of small
   * whole numbers are exact, and compare sooner than fractions.
   */
  compareAt(point: ReadonlyMap<string, Fraction>, other: Affine): number {
    if (this.lastPoint !== point) this.at(point)
    if (other.lastPoint !== point) other.at(point)
    if (this.denominator === 0 || other.denominator === 0) return this.lastValue.compare(other.lastValue)
    return this.numerator * other.denominator - other.numerator * this.denominator
  }

  get isConstant(): boolean {
    return this.coefficients.size === 0
  }

  get symbols(): string[] {
    return [...this.coefficients.keys()]
  }

  coefficient(name: string): Fraction {
    return this.coefficients.get(name) ?? ZERO
  }
}

const parsed = new Map<string, Fraction>()

/** Rules write their factors as texts, the same few over and over. */
function fractionOf(value: Rational): Fraction {
  if (value instanceof Fraction) return value
  if (typeof value !== "string") return new Fraction(value)
  const known = parsed.get(value)
  if (known !== undefined) return known
  const fraction = new Fraction(value)
  if (parsed.size < MOST_PARSED) parsed.set(value, fraction)
  return fraction
}

function leastCommonMultiple(x: bigint, y: bigint): bigint {
  let [a, b] = [x, y]
  while (b !== 0n) [a, b] = [b, a % b]
  return (x / a) * y
}
