/** Inverses of small matrices, read in exponents: a fixed number of rows, so that no sum over them grows. */
import type { Affine } from "../exponent/affine.js"
import { formatAffine } from "../exponent/grammar.js"
import { grows } from "../program/dimension.js"
import { inOrder, leafName, type Node } from "../program/node.js"
import type { Cell } from "./cell.js"
import type { Graded } from "./graded.js"
import { lead, shifted } from "./size.js"
import { Underivable, UnknownHere } from "./underivable.js"

/**
 * (S + δI)^(−p) x: smaller by p times the larger of γ[S] and γ[δ], where x lies in what S spans and the eigenvalues
 * of S beside those that are 0 are of one size. A gradient of one factor lies in what the other spans: Fᵀ(…) is never
 * outside of FᵀF, and follows the larger of its directions. What lies elsewhere in that span is divided by the smaller
 * ones too: it comes with F, and nothing is known where the parts of F are of two sizes.
 *
 * @throws Underivable for a matrix whose side grows, or one that nothing bounds from below.
 */
export function precondition(
  { op, attributes: { power, damping }, operands: [, matrix, factor] }: Node<"precondition">,
  x: Graded,
  [by, tall]: readonly [Graded, Graded | null],
  { cell, assume }: { readonly cell: Cell; readonly assume: (assumption: string) => void },
): Graded {
  if (x.isZero) return x
  const [side] = matrix!.shape
  if (grows(side))
    throw new Underivable(op, `its matrix has n^(${formatAffine(side.exponent)}) rows, and eigenvalues of many sizes`)
  cell.usesGaps = true
  assume("what a matrix of the other factor divides lies in its span, where its eigenvalues are of one size")
  const [size, delta] = [by.size(cell), damping.power]
  const isDamped = delta !== null && (size === null || cell.compare(delta, lead(size)) > 0)
  if (!isDamped && size?.relation !== "equal") throw new Underivable(op, "nothing bounds its matrix from below")
  if (!isDamped && tall !== null && !isOfOneSize(factor!, tall, cell)) throw new UnknownHere(op, TWO_SIZES)
  if (delta === null) assume("the damping δ of an inverse is negligible beside its matrix")
  const over = isDamped ? delta : lead(size!)
  return x.map((part) => shifted(part, over.times(power === 1 ? -1 : "-1/2")))
}

const TWO_SIZES =
  "what is carried from an earlier step lies along all directions of the other factor, which are of two sizes where what was added to it exceeds its start"

/**
 * Whether the directions that a tall factor spans are of one size: its drawn start spans all of them, whatever smaller
 * is added to it; and a single part without a start has one.
 */
function isOfOneSize(factor: Node, { parts }: Graded, cell: Cell): boolean {
  const drawn = new Set(
    inOrder([factor]).flatMap((node) => {
      const isOwn = node.is("leaf") && node.attributes.role !== "frozen"
      return isOwn ? [leafName(node), `${leafName(node)}ᵀ`] : []
    }),
  )
  const start = parts.find(({ parity: { rows } }) => drawn.has(rows))
  if (start === undefined) return parts.length < 2
  // A cell of numbers has a symbol for each start and rate, by which equal sizes differ.
  const exceeds = (of: Affine) => cell.compare(of, lead(start.size)) > 0
  const isEqual = (of: Affine) => cell.keepsTerms && of.minus(lead(start.size)).at(cell.point).equals(0)
  return parts.every(({ size }) => isEqual(lead(size)) || !exceeds(lead(size)))
}
