/**
 * Tensors read in exponents, graded by parity (theory of γ, alignment).
 *
 * Every independent symmetric random tensor of a program is a *base* of its index space of size n. A tensor is the list
 * of the exponents of its parts: for each pair (rows, columns) of sets of bases, the entry size of the part that is odd
 * in exactly these. A sum over n of parts that are odd in the same bases follows the law of large numbers (+1), of
 * parts that are not the central limit (+1/2): so alignment is derived from the program instead of declared.
 */
import { Affine } from "../exponent/affine.js"
import { Exponent } from "../exponent/exponent.js"
import { MaxPlus } from "../exponent/maxPlus.js"

/** The part of a tensor that is odd in exactly the given bases; an empty list is the even part. */
export interface Part {
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  readonly size: Exponent
}

/** A tensor as its parts that are not −∞; no parts is the zero tensor. */
export class Graded {
  static readonly ZERO = new Graded([])

  readonly parts: readonly Part[]

  private constructor(parts: readonly Part[]) {
    this.parts = parts
  }

  /** The sum of the given parts, those of equal parity joined by max. */
  static of(parts: readonly Part[]): Graded {
    const joined = new Map<string, Part>()
    for (const part of parts.filter(({ size }) => !size.isZeroQuantity)) {
      const key = parityKey(part)
      const seen = joined.get(key)
      joined.set(key, seen ? { ...seen, size: Exponent.max(seen.size, part.size) } : part)
    }
    return new Graded([...joined.keys()].sort().map((key) => joined.get(key)!))
  }

  /** γ of the root mean square of the entries. */
  get size(): Exponent {
    return Exponent.max(...this.parts.map((part) => part.size))
  }

  get key(): string {
    return this.parts.map((part) => `${parityKey(part)} ${part.size.key}`).join("; ")
  }

  /** The same parities with other sizes. */
  map(size: (part: Part) => Exponent): Graded {
    return Graded.of(this.parts.map((part) => ({ ...part, size: size(part) })))
  }

  plus(other: Graded): Graded {
    return Graded.of([...this.parts, ...other.parts])
  }

  transpose(): Graded {
    return Graded.of(this.parts.map(({ rows, columns, size }) => ({ rows: columns, columns: rows, size })))
  }

  /** The entrywise product: sizes add, parities add in 𝔽₂. */
  multiply(other: Graded): Graded {
    const pairs = this.parts.flatMap((x) => other.parts.map((y) => [x, y] as const))
    return Graded.of(
      pairs.map(([x, y]) => ({
        rows: symmetricDifference(x.rows, y.rows),
        columns: symmetricDifference(x.columns, y.columns),
        size: x.size.plus(y.size),
      })),
    )
  }

  /**
   * The matrix product over an index of size n (`grows`) or of fixed size.
   *
   * @param onAlignment called with each rule used for a sum over n, for the list of assumptions.
   */
  times(other: Graded, grows: boolean, onAlignment: (assumption: string) => void): Graded {
    const pairs = this.parts.flatMap((x) => other.parts.map((y) => [x, y] as const))
    return Graded.of(
      pairs.map(([x, y]) => {
        const product = x.size.plus(y.size)
        if (!grows) return { rows: x.rows, columns: y.columns, size: product }
        const aligned = x.columns.join() === y.rows.join()
        onAlignment(describe(x.columns, y.rows, aligned))
        return { rows: x.rows, columns: y.columns, size: product.plus(aligned ? ONE : HALF) }
      }),
    )
  }
}

const ONE = Exponent.equal(MaxPlus.of(Affine.constant(1)))
const HALF = Exponent.equal(MaxPlus.of(Affine.constant("1/2")))

function parityKey({ rows, columns }: Part): string {
  return `${rows.join()}|${columns.join()}`
}

function symmetricDifference(x: readonly string[], y: readonly string[]): string[] {
  return [...x.filter((base) => !y.includes(base)), ...y.filter((base) => !x.includes(base))].sort()
}

function describe(left: readonly string[], right: readonly string[], aligned: boolean): string {
  const name = (bases: readonly string[]) =>
    bases.length === 0 ? "the even part" : `a part along ${bases.join(" and ")}`
  return aligned
    ? `sum over n of ${name(left)} with another along it: aligned, n^1`
    : `sum over n of ${name(left)} with ${name(right)}: independent and centred, n^(1/2)`
}
