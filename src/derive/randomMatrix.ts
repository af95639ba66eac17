/**
 * Random matrices of independent entries, both of whose sides grow: what they make of vectors.
 *
 * G x and G y are as aligned as x and y are. So what G makes of the vectors that it was applied to first is told apart
 * from what it makes of later, other ones: two parts, along two bases. All later vectors count as aligned.
 */
import type { Affine } from "../exponent/affine.js"
import { leafName, type Node } from "../program/node.js"
import type { Cell } from "./cell.js"
import { Graded, type RandomTerm } from "./graded.js"
import { type Bases, isKnown, later, meet, Parity, unsure } from "./parity.js"
import { lead, type Size, shifted, weakened } from "./size.js"

/**
 * What a random matrix G and Gᵀ were applied to so far: the running max of the normalised arguments, as vectors of the
 * spaces that these live in, those of the parities of the first argument and all others.
 */
export interface Applications {
  readonly arguments: Graded
  readonly laterArguments: Graded
  readonly transposed: Graded
  readonly laterTransposed: Graded
}

/** The directions that are remembered of a random matrix. */
export const SIDES = ["arguments", "laterArguments", "transposed", "laterTransposed"] as const
export type Side = (typeof SIDES)[number]

const NOTHING: Applications = {
  arguments: Graded.ZERO,
  laterArguments: Graded.ZERO,
  transposed: Graded.ZERO,
  laterTransposed: Graded.ZERO,
}

/** The same of other directions. */
export function mapSides(of: Applications, map: (tensor: Graded, side: Side) => Graded): Applications {
  return {
    arguments: map(of.arguments, "arguments"),
    laterArguments: map(of.laterArguments, "laterArguments"),
    transposed: map(of.transposed, "transposed"),
    laterTransposed: map(of.laterTransposed, "laterTransposed"),
  }
}

/** The bases of a random tensor along its rows and along its columns. */
export function basesOf(leaf: Node): readonly [string, string] {
  const name = leafName(leaf)
  return [name, `${name}ᵀ`]
}

/** What the rule needs besides the matrix and the vector. */
interface RuleContext {
  readonly cell: Cell
  /** Per random matrix, what it was applied to; the rule adds to it. */
  readonly applications: Map<Node, Applications>
  readonly assume: (assumption: string) => void
}

/**
 * The transpose rule: a random matrix G, entries of size n^w, applied to x gives a fresh random vector, of size
 * w + d/2 + γ[x] for d the exponent of the summed space; and if x has a part that is Gᵀ u, a part along u.
 */
export function applied({ leaf, transposed, size: w }: RandomTerm, to: Graded, context: RuleContext): Graded {
  if (to.isZero) return Graded.ZERO
  const { cell, applications, assume } = context
  const [rows, columns] = leaf.shape.map(({ exponent }) => exponent) as [Affine, Affine]
  const [image, pull] = basesOf(leaf)
  const [out, summed, fresh, own] = transposed ? [columns, rows, pull, image] : [rows, columns, image, pull]
  assume(
    `${fresh} applied to a vector: a fresh random vector by the central limit, and a part along what its transpose saw`,
  )
  const seen = applications.get(leaf) ?? NOTHING
  const { first, others, back } = transposed
    ? { first: seen.transposed, others: seen.laterTransposed, back: [seen.arguments, seen.laterArguments] as const }
    : { first: seen.arguments, others: seen.laterArguments, back: [seen.transposed, seen.laterTransposed] as const }
  const firstRows = new Set(first.parts.map(({ parity }) => parity.rows))
  const isFirst = (bases: Bases) => first.isZero || !cell.tellsImagesApart || firstRows.has(bases)
  const imageOf = (bases: Bases) => {
    if (cell.tellsImagesApart && !isKnown(bases)) return unsure(fresh)
    return isFirst(bases) ? fresh : later(fresh)
  }
  const half = summed.times("1/2")
  const freshParts = to.parts.map(({ parity, size }) => ({
    parity: Parity.of(imageOf(parity.rows), parity.columns),
    size: shifted(timesOf(w, size), half),
  }))
  const returned = summed.minus(out.times("1/2"))
  const alignedParts = to.parts.flatMap(({ parity, size }) =>
    [own, later(own)].flatMap((base, i) => {
      const how = meet(parity.rows, base)
      if (how === "independent") return []
      return back[i]!.parts.map((direction) => {
        const along = shifted(timesOf(timesOf(w, size), direction.size), returned)
        return {
          parity: Parity.of(direction.parity.rows, parity.columns),
          size: how === "aligned" ? along : weakened(along),
        }
      })
    }),
  )
  const vector = to.rowParts(cell).parts
  const shape = (isOfFirst: boolean) =>
    Graded.of(
      cell,
      vector.filter(({ parity }) => isFirst(parity.rows) === isOfFirst),
    ).normalised(cell)
  const [now, nowOthers] = [first.plus(cell, shape(true)), others.plus(cell, shape(false))]
  applications.set(
    leaf,
    transposed
      ? { ...seen, transposed: now, laterTransposed: nowOthers }
      : { ...seen, arguments: now, laterArguments: nowOthers },
  )
  return Graded.of(cell, [...freshParts, ...alignedParts])
}

/** γ of a product of which the second factor counts by its leading term. */
function timesOf(x: Size, y: Size): Size {
  const logarithmic = x.logarithmic || y.logarithmic
  const size = { ...x, terms: x.terms.map((term) => term.plus(lead(y))), discrete: false, logarithmic }
  return y.relation === "equal" ? size : weakened(size)
}
