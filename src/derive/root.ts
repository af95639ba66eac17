import { Affine } from "../exponent/affine.js"
import { grows } from "../program/dimension.js"
import type { Node } from "../program/node.js"
import { outgrows, scaled } from "./activation.js"
import type { Cell } from "./cell.js"
import { Graded } from "./graded.js"
import { lead, type Size, shifted, sizeOf, weakened } from "./size.js"
import { Underivable } from "./underivable.js"

/** 1/√(x + ε) of x ≥ 0: half the size the other way round, and Θ(1) where a constant ε exceeds x. */
export function inverseRoot(
  { op, attributes: { epsilon }, shape }: Node<"inverseRoot">,
  x: Graded,
  cell: Cell,
): Graded {
  cell.usesGaps = true
  const [size, base] = [x.size(cell), root(op, x, epsilon, cell)]
  // x is known from above only, so that its inverse is known from below, and by ε from above.
  const isBound = size?.relation === "atMost" && base.key !== Affine.ZERO.key
  const own = isBound ? weakened(sizeOf(Affine.ZERO)) : sizeOf(base.negated)
  if (!shape.some(grows) || epsilon === 0) return Graded.even(own)
  return smooth(x, cell).map((gap) => (isBound ? weakened(gap) : shifted(gap, base.negated)))
}

/**
 * 1/p − 1/q = −x / (p q (p + q)) for the roots p of at + x and q of at: smaller than 1/q as x is smaller than q². Along
 * a side that grows, x by a smooth function of both.
 */
export function inverseRootChange(
  { op, attributes: { epsilon }, shape }: Node<"inverseRootChange">,
  x: Graded,
  at: Graded,
  cell: Cell,
): Graded {
  cell.usesGaps = true
  const [change, q] = [x.size(cell), root(op, at, epsilon, cell)]
  if (change === null) return Graded.ZERO
  const gap = lead(change).minus(q.times(2))
  const isSmall = cell.compare(gap, Affine.ZERO) <= 0
  const result: Size = sizeOf(isSmall ? gap.minus(q) : q.negated)
  const isKnown = change.relation === "equal" && at.size(cell)?.relation !== "atMost"
  if (!shape.some(grows) || epsilon === 0) return Graded.even(isKnown ? result : weakened(result))
  const over = lead(change).minus(lead(result))
  const product = x.map((size) => shifted(size, over.negated)).multiply(cell, smooth(at.plus(cell, x), cell))
  return isKnown ? product : product.map(weakened)
}

/** The parts of a smooth function of scale 1 with a constant term: 1 and products of any number of parts. */
function smooth(x: Graded, cell: Cell): Graded {
  const gaps = scaled(x, cell)
  return gaps.products(cell, "even").plus(cell, gaps.products(cell, "odd"))
}

/** γ[√(x + ε)]. @throws Underivable where nothing bounds it from below. */
function root(op: string, x: Graded, epsilon: number, cell: Cell): Affine {
  const size = x.size(cell)
  if (epsilon === 0 && size?.relation !== "equal") throw new Underivable(op, "nothing bounds its argument from below")
  if (size === null) return Affine.ZERO
  return epsilon === 0 || outgrows(x, cell) ? lead(size).times("1/2") : Affine.ZERO
}
