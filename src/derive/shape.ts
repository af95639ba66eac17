import { ByList, remembered } from "./byList.js"
import { Parity } from "./parity.js"

/** Where parts that are joined by their parities come to lie. */
export interface Layout {
  /** The parities that there are. */
  readonly shape: Shape
  /** For each of the given parts its place among them. */
  readonly places: readonly number[]
}

/**
 * The parities of a tensor's parts, in the order of their keys.
 *
 * Interned, so that equal shapes are one object. Where the parts of sums and products come to lie depends on the shapes
 * alone, and is remembered: tensors of the same shape are met over and over with other sizes.
 */
export class Shape {
  private static readonly known = new ByList<Parity, Shape>()
  static readonly EMPTY = Shape.layout([]).shape
  static readonly EVEN = Shape.layout([Parity.EVEN]).shape

  readonly parities: readonly Parity[]
  private readonly sums = new Map<Shape, Layout>()
  private readonly products = new Map<number, Map<Shape, Layout>>()
  private readonly joined = new Map<number, Layout>()
  private transposed: Layout | undefined

  private constructor(parities: readonly Parity[]) {
    this.parities = parities
  }

  /** The layout of parts of the given parities. */
  static layout(parities: readonly Parity[]): Layout {
    const places = new Map<Parity, number>()
    for (const parity of [...new Set(parities)].sort((x, y) => (x.key < y.key ? -1 : 1)))
      places.set(parity, places.size)
    let same = Shape.known
    for (const parity of places.keys()) same = same.followedBy(parity)
    same.kept ??= new Shape([...places.keys()])
    return { shape: same.kept, places: parities.map((parity) => places.get(parity)!) }
  }

  /** The layout of a sum: this shape's parts, then the other's. */
  plus(other: Shape): Layout {
    return remembered(this.sums, other, () => Shape.layout([...this.parities, ...other.parities]))
  }

  /** The layout of an entrywise product's pairs of parts, row by row, joined beyond the given number of bases. */
  times(other: Shape, mostBases: number): Layout {
    const products = remembered(this.products, mostBases, () => new Map<Shape, Layout>())
    return remembered(products, other, () =>
      Shape.layout(this.parities.flatMap((x) => other.parities.map((y) => x.plus(y).within(mostBases)))),
    )
  }

  /** The layout of this shape's parts, those of more bases than the given number joined. */
  within(mostBases: number): Layout {
    return remembered(this.joined, mostBases, () =>
      Shape.layout(this.parities.map((parity) => parity.within(mostBases))),
    )
  }

  /** The layout of this shape's parts in the transpose. */
  transpose(): Layout {
    this.transposed ??= Shape.layout(this.parities.map((parity) => parity.transpose()))
    return this.transposed
  }
}
