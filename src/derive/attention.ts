/** The softmax read in exponents: of a fixed number of tokens, so that every tensor here has one part, the even one. */
import { Affine } from "../exponent/affine.js"
import { grows, shapeText } from "../program/dimension.js"
import type { Node } from "../program/node.js"
import type { Cell } from "./cell.js"
import { Graded } from "./graded.js"
import { lead, type Size, sizeOf, weakened } from "./size.js"
import { Underivable } from "./underivable.js"

/** What a rule needs besides the operands. */
interface RuleContext {
  readonly cell: Cell
  readonly assume: (assumption: string) => void
}

/** @throws Underivable for a tensor with a side that grows. */
export function requireFixed({ op, operands: [x] }: Node): void {
  if (x!.shape.some(grows)) throw new Underivable(op, `one of its sides grows: ${shapeText(x!.shape)}`)
}

/** Weights that sum to 1 over a fixed number of tokens: their root mean square is Θ(1) whatever the scores. */
export function softmax(node: Node, _: Graded, __: RuleContext): Graded {
  requireFixed(node)
  return Graded.even(sizeOf(Affine.ZERO))
}

/** p ∘ (x − Σ p x): the size of x, and where the scores outgrow 1 at most that, the weights being near 0 or 1. */
export function softmaxSlope(node: Node, x: Graded, at: Graded, { cell, assume }: RuleContext): Graded {
  requireFixed(node)
  assume("attention looks at more than one token, so that its weights' derivative is as large as its scores let it")
  return outgrows(at, cell) ? x.map(weakened) : x
}

/** The size of the scores' change, and Θ(1) beyond: the weights have moved to other tokens. */
export function softmaxChange(node: Node, x: Graded, at: Graded, { cell, assume }: RuleContext): Graded {
  requireFixed(node)
  assume("a change of the scores is not the same for all tokens")
  cell.usesGaps = true
  const size = x.size(cell)
  if (size === null) return Graded.ZERO
  const bounded: Size = cell.compare(lead(size), Affine.ZERO) > 0 ? { ...size, terms: [Affine.ZERO] } : size
  return Graded.even(outgrows(at, cell) ? weakened(bounded) : bounded)
}

function outgrows(of: Graded, cell: Cell): boolean {
  const size = of.size(cell)
  return size !== null && cell.compare(lead(size), Affine.ZERO) > 0
}
