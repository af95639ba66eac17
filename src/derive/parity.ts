/** A set of bases: their names in order, joined by commas; empty for the even part. */
export type Bases = string

/** In place of a set of more bases than are told apart: which ones is not known. */
export const MANY: Bases = "many random tensors"

/** Ends the name of what a random matrix makes of vectors unlike the first. */
const LATER = "′"
/** Begins a set in which it is not told whether a random matrix's part is of first or of later vectors. */
const UNSURE = "~"

/** The base of what a random matrix makes of vectors unlike the first that it was applied to. */
export function later(base: string): string {
  return base + LATER
}

/** Whether a set is known to the last base. */
export function isKnown(bases: Bases): boolean {
  return bases !== MANY && !bases.startsWith(UNSURE)
}

const unsureSets = new Map<Bases, Bases>()

/** The set in which what a random matrix makes of first and of later vectors counts as one base. */
export function unsure(bases: Bases): Bases {
  if (!isKnown(bases)) return bases
  let known = unsureSets.get(bases)
  if (known === undefined) {
    const names = bases.split(",").map((base) => (base.endsWith(LATER) ? base.slice(0, -LATER.length) : base))
    known = UNSURE + names.reduce(differenceOfKnown, "")
    unsureSets.set(bases, known)
  }
  return known
}

/** Whether two parts that are odd in these sets are aligned, for sure or as far as is known. */
export function meet(x: Bases, y: Bases): "aligned" | "at most aligned" | "independent" {
  if (x === MANY || y === MANY) return "at most aligned"
  if (isKnown(x) && isKnown(y)) return x === y ? "aligned" : "independent"
  return unsure(x) === unsure(y) ? "at most aligned" : "independent"
}

/** A set as a reader is told of it. */
export function basesText(bases: Bases): string {
  if (bases === MANY || isKnown(bases)) return bases.replaceAll(",", " and ")
  const names = bases.slice(UNSURE.length)
  return names === ""
    ? "none or two of one random matrix"
    : `${names.replaceAll(",", " and ")}, of first or later vectors`
}

/**
 * In which bases a part of a tensor is odd, along its rows and along its columns.
 *
 * Interned, so that equal parities are one object; sums in 𝔽₂ are remembered.
 */
export class Parity {
  private static readonly known = new Map<Bases, Map<Bases, Parity>>()
  static readonly EVEN = Parity.of("", "")

  readonly rows: Bases
  readonly columns: Bases
  readonly key: string
  private readonly sums = new Map<Parity, Parity>()
  private readonly joined = new Map<number, Parity>()

  private constructor(rows: Bases, columns: Bases, key: string) {
    this.rows = rows
    this.columns = columns
    this.key = key
  }

  static of(rows: Bases, columns: Bases): Parity {
    let ofRows = Parity.known.get(rows)
    if (ofRows === undefined) {
      ofRows = new Map()
      Parity.known.set(rows, ofRows)
    }
    let parity = ofRows.get(columns)
    if (parity === undefined) {
      parity = new Parity(rows, columns, `${rows}|${columns}`)
      ofRows.set(columns, parity)
    }
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

  /**
   * The parity with sets of more bases than the given number joined: parts of one random matrix first, and where they
   * are still more as {@link MANY}.
   */
  within(most: number): Parity {
    if (most === Number.POSITIVE_INFINITY) return this
    const known = this.joined.get(most)
    if (known !== undefined) return known
    const joined = Parity.of(joinedBeyond(most, this.rows), joinedBeyond(most, this.columns))
    this.joined.set(most, joined)
    return joined
  }

  transpose(): Parity {
    return Parity.of(this.columns, this.rows)
  }
}

function joinedBeyond(most: number, bases: Bases): Bases {
  if (countOf(bases) <= most) return bases
  const joined = unsure(bases)
  return countOf(joined) <= most ? joined : MANY
}

function countOf(bases: Bases): number {
  return bases.split(",").length
}

function symmetricDifference(x: Bases, y: Bases): Bases {
  if (x === MANY || y === MANY) return MANY
  if (isKnown(x) && isKnown(y)) return differenceOfKnown(x, y)
  const [left, right] = [x, y].map((bases) => unsure(bases).slice(UNSURE.length)) as [Bases, Bases]
  return UNSURE + differenceOfKnown(left, right)
}

function differenceOfKnown(x: Bases, y: Bases): Bases {
  if (x === "") return y
  if (y === "") return x
  if (x === y) return ""
  const [left, right] = [x.split(","), y.split(",")]
  return [...left.filter((base) => !right.includes(base)), ...right.filter((base) => !left.includes(base))]
    .sort()
    .join()
}
