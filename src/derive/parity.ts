/** A set of bases: their names in order, joined by commas; empty for the even part. */
export type Bases = string

/** In place of a set of more bases than are told apart: which ones is not known. */
export const MANY: Bases = "many random tensors"

/**
 * In which bases a part of a tensor is odd, along its rows and along its columns.
 *
 * Interned, so that equal parities are one object; sums in 𝔽₂ are remembered.
 */
export class Parity {
  private static readonly known = new Map<string, Parity>()
  static readonly EVEN = Parity.of("", "")

  readonly rows: Bases
  readonly columns: Bases
  readonly key: string
  private readonly sums = new Map<Parity, Parity>()

  private constructor(rows: Bases, columns: Bases, key: string) {
    this.rows = rows
    this.columns = columns
    this.key = key
  }

  static of(rows: Bases, columns: Bases): Parity {
    const key = `${rows}|${columns}`
    const known = Parity.known.get(key)
    if (known !== undefined) return known
    const parity = new Parity(rows, columns, key)
    Parity.known.set(key, parity)
    return parity
  }

  /** The parity of an entrywise product. */
  plus(other: Parity): Parity {
    const known = this.sums.get(other)
    if (known !== undefined) return known
    const [rows, columns] = [
      symmetricDifference(this.rows, other.rows),
      symmetricDifference(this.columns, other.columns),
    ]
    const sum = Parity.of(rows, columns)
    this.sums.set(other, sum)
    return sum
  }

  /** The parity with sets of more bases than the given number as {@link MANY}. */
  within(most: number): Parity {
    if (most === Number.POSITIVE_INFINITY) return this
    const few = (bases: Bases) => (bases.split(",").length > most ? MANY : bases)
    return Parity.of(few(this.rows), few(this.columns))
  }

  transpose(): Parity {
    return Parity.of(this.columns, this.rows)
  }
}

function symmetricDifference(x: Bases, y: Bases): Bases {
  if (x === MANY || y === MANY) return MANY
  if (x === "") return y
  if (y === "") return x
  if (x === y) return ""
  const [left, right] = [x.split(","), y.split(",")]
  return [...left.filter((base) => !right.includes(base)), ...right.filter((base) => !left.includes(base))]
    .sort()
    .join()
}
