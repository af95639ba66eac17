import { Fraction } from "fraction.js"
import type { Affine } from "./affine.js"
import { type Integers, LARGE, SMALL, TooLarge } from "./integers.js"

/** The inequality `form ≤ 0`, or `form < 0` where it is strict. */
export interface Inequality {
  readonly form: Affine
  readonly strict: boolean
}

/**
 * A point of ℚᵏ that satisfies all inequalities, the strict ones strictly, or null if there is none: exact.
 *
 * The largest t ≤ 1 with form + t ≤ 0 for every strict inequality is found by the simplex method over the integers
 * (Bland's rule, so it ends); strict inequalities have a common solution iff that t is > 0. The point lies as deep
 * inside the strict ones as t says, so it is a good representative of a region. Integers are small ones as long as they
 * can be; the steps are the same in both kinds.
 */
export function interiorPoint(system: readonly Inequality[]): Map<string, Fraction> | null {
  try {
    return deepest(system, SMALL)
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error
    return deepest(system, LARGE)
  }
}

/** Whether {@link interiorPoint} would find a point. */
export function hasInteriorPoint(system: readonly Inequality[]): boolean {
  try {
    return isDeep(system, SMALL)
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error
    return isDeep(system, LARGE)
  }
}

function isDeep<T>(system: readonly Inequality[], integers: Integers<T>): boolean {
  const dictionary = new Dictionary(system, symbolsOf(system), integers)
  if (!dictionary.makeFeasible()) return false
  return !system.some(({ strict }) => strict) || dictionary.maximiseDepth("any").compare(0) > 0
}

/** {@link interiorPoint} in one kind of integers. @throws TooLarge where these do not reach. */
export function deepest<T>(system: readonly Inequality[], integers: Integers<T>): Map<string, Fraction> | null {
  const symbols = symbolsOf(system)
  const dictionary = new Dictionary(system, symbols, integers)
  if (!dictionary.makeFeasible()) return null
  const depth = dictionary.maximiseDepth()
  if (system.some(({ strict }) => strict) && depth.compare(0) <= 0) return null
  return new Map(symbols.map((name, j) => [name, dictionary.valueOf(j)]))
}

function symbolsOf(system: readonly Inequality[]): string[] {
  const symbols = new Set<string>()
  for (const { form } of system) for (const name of form.coefficients.keys()) symbols.add(name)
  return [...symbols].sort()
}

/** scale · basic = constant + Σ coefficients[j] · (j-th nonbasic variable), in integers without a common factor. */
interface Row<T> {
  readonly basic: number
  readonly scale: T
  readonly constant: T
  readonly coefficients: readonly T[]
}

/**
 * A simplex dictionary. Variables are numbered: symbols (of either sign) first, then the depth t ≥ 0, then the slack
 * of each inequality and of t ≤ 1.
 */
class Dictionary<T> {
  private readonly symbolCount: number
  private readonly nonbasic: number[]
  private readonly integers: Integers<T>
  private rows: Row<T>[]

  constructor(system: readonly Inequality[], symbols: readonly string[], integers: Integers<T>) {
    const { of, zero, one, negated, sign } = integers
    this.integers = integers
    this.symbolCount = symbols.length
    const depth = symbols.length
    this.nonbasic = [...symbols.keys(), depth]
    this.rows = system.map(({ form, strict }, i) => {
      const { scale, constant, coefficients: whole } = form.whole
      const opposite = (value: bigint | undefined) => (value === undefined ? zero : of(-value))
      const coefficients = symbols.map((name) => opposite(whole.get(name)))
      coefficients.push(strict ? of(-scale) : zero)
      return this.reduced({ basic: depth + 1 + i, scale: of(scale), constant: opposite(constant), coefficients })
    })
    const atMostOne = this.nonbasic.map((variable) => (variable === depth ? negated(one) : zero))
    this.rows.push({ basic: depth + 1 + system.length, scale: one, constant: one, coefficients: atMostOne })
    for (let j = 0; j < symbols.length; j++) {
      const row = this.rows.findIndex(
        (candidate) => this.isBounded(candidate) && sign(candidate.coefficients[j]!) !== 0,
      )
      if (row >= 0) this.pivot(row, j)
    }
  }

  /** Dual simplex without an objective; false if some row shows that its slack is negative everywhere. */
  makeFeasible(): boolean {
    const { sign } = this.integers
    for (;;) {
      const row = this.first((candidate) => this.isBounded(candidate) && sign(candidate.constant) < 0)
      if (row < 0) return true
      const { coefficients } = this.rows[row]!
      const column = this.firstColumn((j) => sign(coefficients[j]!) > 0)
      if (column < 0) return false
      this.pivot(row, column)
    }
  }

  /** Primal simplex for the depth t, which t ≤ 1 bounds: the largest, or any that is > 0 if there is one. */
  maximiseDepth(wanted: "largest" | "any" = "largest"): Fraction {
    const { sign, times, negated, minus } = this.integers
    for (;;) {
      const depth = this.rows.find(({ basic }) => basic === this.symbolCount)
      if (wanted === "any" && depth !== undefined && sign(depth.constant) > 0) return this.valueOf(this.symbolCount)
      const grows = (j: number) =>
        depth === undefined ? this.nonbasic[j] === this.symbolCount : sign(depth.coefficients[j]!) > 0
      const column = this.firstColumn(grows)
      if (column < 0) return this.valueOf(this.symbolCount)
      // The row whose constant over its falling coefficient is least; of several Bland's rule takes the first.
      let leaving = -1
      this.rows.forEach((row, i) => {
        if (!this.isBounded(row) || sign(row.coefficients[column]!) >= 0) return
        const best = this.rows[leaving]
        if (best === undefined) {
          leaving = i
          return
        }
        const own = times(row.constant, negated(best.coefficients[column]!))
        const other = times(best.constant, negated(row.coefficients[column]!))
        const order = sign(minus(own, other))
        if (order < 0 || (order === 0 && row.basic < best.basic)) leaving = i
      })
      this.pivot(leaving, column)
    }
  }

  /** The value of a variable at the dictionary's vertex: nonbasic variables are 0. */
  valueOf(variable: number): Fraction {
    const row = this.rows.find(({ basic }) => basic === variable)
    if (row === undefined) return new Fraction(0)
    return new Fraction(this.integers.large(row.constant), this.integers.large(row.scale))
  }

  private isBounded({ basic }: Row<T>): boolean {
    return basic >= this.symbolCount
  }

  /** Bland's rule: of the rows that qualify, the one whose basic variable comes first. */
  private first(qualifies: (row: Row<T>) => boolean): number {
    let found = -1
    this.rows.forEach((row, i) => {
      if (qualifies(row) && (found < 0 || row.basic < this.rows[found]!.basic)) found = i
    })
    return found
  }

  /** Bland's rule for columns; a symbol that no inequality bounds stays nonbasic at 0. */
  private firstColumn(qualifies: (j: number) => boolean): number {
    let found = -1
    this.nonbasic.forEach((variable, j) => {
      if (variable >= this.symbolCount && qualifies(j) && (found < 0 || variable < this.nonbasic[found]!)) found = j
    })
    return found
  }

  private pivot(leaving: number, column: number): void {
    const { times, plus, negated, sign, zero } = this.integers
    const row = this.rows[leaving]!
    const divisor = row.coefficients[column]!
    const signed = sign(divisor) < 0 ? (q: T) => q : negated
    // divisor · entering = scale · leaving − constant − Σ others
    const entering = this.reduced({
      basic: this.nonbasic[column]!,
      scale: signed(negated(divisor)),
      constant: signed(row.constant),
      coefficients: row.coefficients.map((q, j) => (j === column ? signed(negated(row.scale)) : signed(q))),
    })
    const { scale } = entering
    this.rows = this.rows.map((other, i) => {
      if (i === leaving) return entering
      const q = other.coefficients[column]!
      if (sign(q) === 0) return other
      return this.reduced({
        basic: other.basic,
        scale: times(other.scale, scale),
        constant: plus(times(other.constant, scale), times(q, entering.constant)),
        coefficients: other.coefficients.map((p, j) =>
          plus(j === column ? zero : times(p, scale), times(q, entering.coefficients[j]!)),
        ),
      })
    })
    this.nonbasic[column] = row.basic
  }

  private reduced(row: Row<T>): Row<T> {
    const { gcd, isOne, quotient } = this.integers
    let divisor = gcd(row.scale, row.constant)
    for (const q of row.coefficients) {
      if (isOne(divisor)) return row
      divisor = gcd(divisor, q)
    }
    if (isOne(divisor)) return row
    return {
      basic: row.basic,
      scale: quotient(row.scale, divisor),
      constant: quotient(row.constant, divisor),
      coefficients: row.coefficients.map((q) => quotient(q, divisor)),
    }
  }
}
