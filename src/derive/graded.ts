/**
 * Tensors read in exponents, graded by parity (theory of γ, alignment).
 *
 * Every independent symmetric random tensor of a program is a *base* of its index space. A tensor is the list of the
 * sizes of its parts: for each pair (rows, columns) of sets of bases, the entry size of the part that is odd in exactly
 * these. A sum over an index space of size n^d of parts that are odd in the same bases follows the law of large numbers
 * (+d), of parts that are not the central limit (+d/2): so alignment is derived from the program instead of declared.
 */
import type { Affine } from "../exponent/affine.js"
import { Affine as Form } from "../exponent/affine.js"
import { leafName, type Node } from "../program/node.js"
import type { Cell } from "./cell.js"
import { type Bases, isKnown, meet, Parity } from "./parity.js"
import { type Layout, Shape } from "./shape.js"
import { larger, lead, product, type Size, shifted, sizeKey, sizeOf, weakened } from "./size.js"

/** The part of a tensor that is odd in exactly the bases of its parity. */
export interface ParityPart {
  readonly parity: Parity
  readonly size: Size
}

/** A multiple of a random matrix of independent entries, both of whose sides grow with the width. */
export interface RandomTerm {
  readonly leaf: Node
  readonly transposed: boolean
  readonly size: Size
}

/** A tensor as its parts that are not −∞; without parts and random terms it is the zero tensor. */
export class Graded {
  static readonly ZERO = new Graded(Shape.EMPTY, [], [])

  readonly randoms: readonly RandomTerm[]
  /** The parities of the parts, and the size of each. */
  private readonly shape: Shape
  private readonly sizes: readonly Size[]
  private cachedParts: readonly ParityPart[] | undefined
  private cachedKey: string | undefined

  private constructor(shape: Shape, sizes: readonly Size[], randoms: readonly RandomTerm[]) {
    this.shape = shape
    this.sizes = sizes
    this.randoms = randoms
  }

  /** The sum of the given parts, those of equal parity joined by max. */
  static of(cell: Cell, parts: readonly ParityPart[], randoms: readonly RandomTerm[] = []): Graded {
    return Graded.joined(
      cell,
      Shape.layout(parts.map(({ parity }) => parity)),
      parts.map(({ size }) => size),
      randoms,
    )
  }

  /** The sum of parts of the given sizes, those of equal place joined by max. */
  private static joined(
    cell: Cell,
    { shape, places }: Layout,
    sizes: readonly Size[],
    randoms: readonly RandomTerm[] = [],
  ): Graded {
    const largest = new Array<Size | undefined>(shape.parities.length)
    for (let i = 0; i < sizes.length; i++) {
      const [place, size] = [places[i]!, sizes[i]!]
      const seen = largest[place]
      largest[place] = seen === undefined ? size : larger(cell, seen, size)
    }
    const matrices = new Map<string, RandomTerm>()
    for (const term of randoms) {
      const key = randomKey(term)
      const seen = matrices.get(key)
      matrices.set(key, seen ? { ...seen, size: larger(cell, seen.size, term.size) } : term)
    }
    return new Graded(shape, largest as Size[], sorted(matrices))
  }

  /** A tensor of one even part. */
  static even(size: Size): Graded {
    return new Graded(Shape.EVEN, [size], [])
  }

  get parts(): readonly ParityPart[] {
    this.cachedParts ??= this.shape.parities.map((parity, i) => ({ parity, size: this.sizes[i]! }))
    return this.cachedParts
  }

  get isZero(): boolean {
    return this.sizes.length + this.randoms.length === 0
  }

  /** γ of the root mean square of the entries; null for the zero tensor. */
  size(cell: Cell): Size | null {
    const { all } = this
    return all.length === 0 ? null : all.reduce((x, y) => larger(cell, x, y))
  }

  /** The tensor as one even part of its size; a random matrix with both sides growing stays as it is. */
  summed(cell: Cell): Graded {
    const size = this.size(cell)
    return size === null || this.sizes.length < 2 || this.randoms.length > 0 ? this : Graded.even(size)
  }

  /**
   * Whether no two of its terms lie in one part: sums over parts of different parity are independent, up to n^(−1/2).
   */
  get isOrthogonal(): boolean {
    return this.all.every(({ terms }) => terms.length === 1)
  }

  /** The sizes of all parts and random terms. */
  private get all(): readonly Size[] {
    return this.randoms.length === 0 ? this.sizes : [...this.sizes, ...this.randoms.map(({ size }) => size)]
  }

  /** Equal for tensors whose parts have equal leading forms. */
  get key(): string {
    this.cachedKey ??= [
      ...this.parts.map(({ parity, size }) => `${parity.key} ${sizeKey(size)}`),
      ...this.randoms.map((term) => `${randomKey(term)} ${sizeKey(term.size)}`),
    ].join("; ")
    return this.cachedKey
  }

  /** All parts and random terms, each with a key of its own in this tensor. */
  get pieces(): { readonly key: string; readonly size: Size }[] {
    return [
      ...this.parts.map(({ parity, size }) => ({ key: parity.key, size })),
      ...this.randoms.map((term) => ({ key: randomKey(term), size: term.size })),
    ]
  }

  /** The same parities with other sizes. */
  map(size: (size: Size) => Size): Graded {
    return new Graded(
      this.shape,
      this.sizes.map((own) => size(own)),
      this.randoms.map((term) => ({ ...term, size: size(term.size) })),
    )
  }

  plus(cell: Cell, other: Graded): Graded {
    const layout = this.shape.plus(other.shape)
    return Graded.joined(cell, layout, [...this.sizes, ...other.sizes], [...this.randoms, ...other.randoms])
  }

  transpose(): Graded {
    const { shape, places } = this.shape.transpose()
    const sizes = [...this.sizes]
    places.forEach((place, i) => {
      sizes[place] = this.sizes[i]!
    })
    const randoms = this.randoms.map((term) => ({ ...term, transposed: !term.transposed }))
    return new Graded(shape, sizes, sorted(new Map(randoms.map((term) => [randomKey(term), term]))))
  }

  /** The entrywise product: sizes add, parities add in 𝔽₂. */
  multiply(cell: Cell, other: Graded): Graded {
    // Of many parts only a few sizes are different.
    const rows = new Map<Size, readonly Size[]>()
    const sizes: Size[] = []
    for (const x of this.sizes) {
      const row = rows.get(x) ?? other.sizes.map((y) => product(cell, x, y))
      rows.set(x, row)
      for (const size of row) sizes.push(size)
    }
    return Graded.joined(cell, this.shape.times(other.shape, cell.mostBases + 1), sizes)
  }

  /**
   * The product of the parts of two matrices over an index of size n^dimension.
   *
   * @param growth the exponent by which a sum of two parts, of the given columns and rows, exceeds its terms.
   */
  times(cell: Cell, other: Graded, growth: (columns: Bases, rows: Bases) => Affine): Graded {
    const pairs = this.parts.flatMap((x) => other.parts.map((y) => [x, y] as const))
    return Graded.of(
      cell,
      pairs.map(([x, y]) => {
        const size = shifted(product(cell, x.size, y.size), growth(x.parity.columns, y.parity.rows))
        const isSure = meet(x.parity.columns, y.parity.rows) !== "at most aligned"
        return { parity: Parity.of(x.parity.rows, y.parity.columns), size: isSure ? size : weakened(size) }
      }),
    )
  }

  /** The parts with their sizes relative to the largest: each size is a gap ≤ 0. */
  normalised(cell: Cell): Graded {
    const size = this.size(cell)
    if (this.parts.length > 1) cell.usesGaps = true
    return size === null ? Graded.ZERO : this.map((part) => shifted(part, lead(size).negated))
  }

  /** The parts as a vector: sizes of equal row parity joined, columns forgotten. */
  rowParts(cell: Cell): Graded {
    return Graded.of(
      cell,
      this.parts.map(({ parity, size }) => ({ parity: Parity.of(parity.rows, ""), size })),
    )
  }

  /** Its parts by the parity of their columns, with their rows forgotten. */
  columnParts(cell: Cell): Graded {
    return Graded.of(
      cell,
      this.parts.map(({ parity, size }) => ({ parity: Parity.of("", parity.columns), size })),
    )
  }

  /** The product over an index of the pairs of parts of equal parity there, each exceeding its terms by n^growth. */
  aligned(cell: Cell, other: Graded, growth: Affine): Graded {
    const byRows = new Map<Bases, ParityPart[]>()
    for (const part of other.parts) byRows.set(part.parity.rows, [...(byRows.get(part.parity.rows) ?? []), part])
    const unsure = [...byRows].flatMap(([rows, parts]) => (isKnown(rows) ? [] : parts))
    return Graded.of(
      cell,
      this.parts.flatMap(({ parity: { rows, columns }, size }) => {
        const candidates = isKnown(columns) ? [...(byRows.get(columns) ?? []), ...unsure] : other.parts
        return candidates.flatMap((part) => {
          const how = meet(columns, part.parity.rows)
          if (how === "independent") return []
          const sum = shifted(product(cell, size, part.size), growth)
          return [{ parity: Parity.of(rows, part.parity.columns), size: how === "aligned" ? sum : weakened(sum) }]
        })
      }),
    )
  }

  /**
   * The parts of an odd or even function of a tensor, given its parts' gaps ≤ 0: all products of an odd (even) number
   * of parts, a product costing the sum of its gaps.
   *
   * A part taken twice costs and changes no parity, so each is added once to the products of those before it; one that
   * these reach at no greater cost adds nothing. Large parts come first: the order changes the work, not the result.
   */
  products(cell: Cell, parity: "odd" | "even"): Graded {
    const leading = this.parts.find(({ size }) => isZeroForm(lead(size)))
    const gaps = this.map((size) => (leading?.size.discrete && !isZeroForm(lead(size)) ? weakened(size) : size))
    let [even, odd] = [Graded.even(sizeOf(Form.ZERO)), Graded.ZERO]
    for (const part of cell.byValue(gaps.parts, ({ size }) => lead(size))) {
      if (!cell.keepsTerms && odd.reaches(cell, part)) continue
      const added = Graded.of(cell, [part])
      even = even.plus(cell, odd.multiply(cell, added)).within(cell)
      odd = odd.plus(cell, even.multiply(cell, added)).within(cell)
    }
    return parity === "odd" ? odd : even
  }

  /** The tensor with parts of more bases than are told apart joined. */
  private within(cell: Cell): Graded {
    const layout = this.shape.within(cell.mostBases)
    return layout.shape === this.shape ? this : Graded.joined(cell, layout, this.sizes)
  }

  /** Whether this tensor's part of the same parity is at least as large, and as well known. */
  private reaches(cell: Cell, { parity, size }: ParityPart): boolean {
    const own = this.sizes[this.shape.parities.indexOf(parity)]
    return own !== undefined && (own.relation === "equal" || size.relation === "atMost")
      ? cell.compare(lead(own), lead(size)) >= 0
      : false
  }
}

/** Whether the form is 0 for all symbols. */
export function isZeroForm(form: Affine): boolean {
  return form.key === Form.ZERO.key
}

function sorted<T>(items: ReadonlyMap<string, T>): T[] {
  return [...items.keys()].sort().map((key) => items.get(key)!)
}

function randomKey({ leaf, transposed }: RandomTerm): string {
  return `${leafName(leaf)}${transposed ? "ᵀ" : ""}`
}
