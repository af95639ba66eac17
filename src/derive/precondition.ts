/** Inverses of small matrices, read in exponents: a fixed number of rows, so that no sum over them grows. */
import { formatAffine } from "../exponent/grammar.js"
import { grows } from "../program/dimension.js"
import type { Node } from "../program/node.js"
import type { Cell } from "./cell.js"
import type { Graded } from "./graded.js"
import { lead, shifted } from "./size.js"
import { Underivable } from "./underivable.js"

/**
 * (S + δI)^(−p) x: smaller by p times the larger of γ[S] and γ[δ], where x lies in what S spans and the eigenvalues
 * of S beside those that are 0 are of one size. A gradient of one factor lies in what the other spans: Fᵀ(…) is never
 * outside of FᵀF.
 *
 * @throws Underivable for a matrix whose side grows, or one that nothing bounds from below.
 */
export function precondition(
  { op, attributes: { power, damping }, operands: [, matrix] }: Node<"precondition">,
  x: Graded,
  by: Graded,
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
  if (delta === null) assume("the damping δ of an inverse is negligible beside its matrix")
  const over = isDamped ? delta : lead(size!)
  return x.map((part) => shifted(part, over.times(power === 1 ? -1 : "-1/2")))
}
