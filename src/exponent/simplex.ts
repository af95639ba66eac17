import { Fraction } from "fraction.js"
import type { Affine } from "./affine.js"

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
 * inside the strict ones as t says, so it is a good representative of a region.
 */
export function interiorPoint(system: readonly Inequality[]): Map<string, Fraction> | null {
  const symbols = [...new Set(system.flatMap(({ form }) => form.symbols))].sort()
  const dictionary = new Dictionary(system, symbols)
  if (!dictionary.makeFeasible()) return null
  const depth = dictionary.maximiseDepth()
  if (system.some(({ strict }) => strict) && depth.compare(0) <= 0) return null
  return new Map(symbols.map((name, j) => [name, dictionary.valueOf(j)]))
}

/** scale · basic = constant + Σ coefficients[j] · (j-th nonbasic variable), in integers without a common factor. */
interface Row {
  readonly basic: number
  readonly scale: bigint
  readonly constant: bigint
  readonly coefficients: readonly bigint[]
}

/**
 * A simplex dictionary. Variables are numbered: symbols (of either sign) first, then the depth t ≥ 0, then the slack
 * of each inequality and of t ≤ 1.
 */
class Dictionary {
  private readonly symbolCount: number
  private readonly nonbasic: number[]
  private rows: Row[]

  constructor(system: readonly Inequality[], symbols: readonly string[]) {
    this.symbolCount = symbols.length
    const depth = symbols.length
    this.nonbasic = [...symbols.keys(), depth]
    this.rows = system.map(({ form, strict }, i) => {
      const common = [form.constant, ...form.coefficients.values()].reduce((d, q) => lcm(d, q.d), 1n)
      const whole = (q: Fraction) => -(q.s * q.n * (common / q.d))
      const coefficients = [...symbols.map((name) => whole(form.coefficient(name))), strict ? -common : 0n]
      return reduced({ basic: depth + 1 + i, scale: common, constant: whole(form.constant), coefficients })
    })
    const atMostOne = this.nonbasic.map((variable) => (variable === depth ? -1n : 0n))
    this.rows.push({ basic: depth + 1 + system.length, scale: 1n, constant: 1n, coefficients: atMostOne })
    for (let j = 0; j < symbols.length; j++) {
      const row = this.rows.findIndex((candidate) => this.isBounded(candidate) && candidate.coefficients[j] !== 0n)
      if (row >= 0) this.pivot(row, j)
    }
  }

  /** Dual simplex without an objective; false if some row shows that its slack is negative everywhere. */
  makeFeasible(): boolean {
    for (;;) {
      const row = this.first(this.rows, (candidate) => this.isBounded(candidate) && candidate.constant < 0n)
      if (row < 0) return true
      const column = this.firstColumn((j) => this.rows[row]!.coefficients[j]! > 0n)
      if (column < 0) return false
      this.pivot(row, column)
    }
  }

  /** Primal simplex for the depth t, which t ≤ 1 bounds. */
  maximiseDepth(): Fraction {
    for (;;) {
      const depth = this.rows.find(({ basic }) => basic === this.symbolCount)
      const grows = (j: number) =>
        depth === undefined ? this.nonbasic[j] === this.symbolCount : depth.coefficients[j]! > 0n
      const column = this.firstColumn(grows)
      if (column < 0) return this.valueOf(this.symbolCount)
      const falling = this.rows.filter((row) => this.isBounded(row) && row.coefficients[column]! < 0n)
      const ratio = (row: Row) => new Fraction(row.constant, -row.coefficients[column]!)
      const least = falling.map(ratio).reduce((x, y) => (x.compare(y) <= 0 ? x : y))
      const leaving = this.first(this.rows, (row) => falling.includes(row) && ratio(row).equals(least))
      this.pivot(leaving, column)
    }
  }

  /** The value of a variable at the dictionary's vertex: nonbasic variables are 0. */
  valueOf(variable: number): Fraction {
    const row = this.rows.find(({ basic }) => basic === variable)
    return row === undefined ? new Fraction(0) : new Fraction(row.constant, row.scale)
  }

  private isBounded({ basic }: Row): boolean {
    return basic >= this.symbolCount
  }

  /** Bland's rule: of the rows that qualify, the one whose basic variable comes first. */
  private first(rows: readonly Row[], qualifies: (row: Row) => boolean): number {
    let found = -1
    rows.forEach((row, i) => {
      if (qualifies(row) && (found < 0 || row.basic < rows[found]!.basic)) found = i
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
    const row = this.rows[leaving]!
    const divisor = row.coefficients[column]!
    const sign = divisor < 0n ? 1n : -1n
    // divisor · entering = scale · leaving − constant − Σ others
    const entering = reduced({
      basic: this.nonbasic[column]!,
      scale: -sign * divisor,
      constant: sign * row.constant,
      coefficients: row.coefficients.map((q, j) => (j === column ? -sign * row.scale : sign * q)),
    })
    this.rows = this.rows.map((other, i) => {
      if (i === leaving) return entering
      const q = other.coefficients[column]!
      if (q === 0n) return other
      const { scale } = entering
      return reduced({
        basic: other.basic,
        scale: other.scale * scale,
        constant: other.constant * scale + q * entering.constant,
        coefficients: other.coefficients.map((p, j) => (j === column ? 0n : p * scale) + q * entering.coefficients[j]!),
      })
    })
    this.nonbasic[column] = row.basic
  }
}

function reduced({ basic, scale, constant, coefficients }: Row): Row {
  const divisor = coefficients.reduce(gcd, gcd(scale, constant))
  if (divisor === 1n) return { basic, scale, constant, coefficients }
  return {
    basic,
    scale: scale / divisor,
    constant: constant / divisor,
    coefficients: coefficients.map((q) => q / divisor),
  }
}

function gcd(x: bigint, y: bigint): bigint {
  let [a, b] = [x < 0n ? -x : x, y < 0n ? -y : y]
  while (b !== 0n) [a, b] = [b, a % b]
  return a
}

function lcm(x: bigint, y: bigint): bigint {
  return (x / gcd(x, y)) * y
}
