import { Affine } from "../exponent/affine.js"
import type { Cell } from "./cell.js"
import { Graded } from "./graded.js"
import { lead, type Size, sizeOf, weakened } from "./size.js"
import { Underivable } from "./underivable.js"

/** 1/√(x + ε) of x ≥ 0: half the size the other way round, and Θ(1) where a constant ε exceeds x. */
export function inverseRoot(op: string, x: Graded, epsilon: number, cell: Cell): Graded {
  cell.usesGaps = true
  const [size, base] = [x.size(cell), root(op, x, epsilon, cell)]
  // x is known from above only, so that its inverse is known from below, and by ε from above.
  if (size?.relation === "atMost" && base.key !== Affine.ZERO.key) return Graded.even(weakened(sizeOf(Affine.ZERO)))
  return Graded.even(sizeOf(base.negated))
}

/** 1/p − 1/q = −x / (p q (p + q)) for the roots p of at + x and q of at: smaller than 1/q as x is smaller than q². */
export function inverseRootChange(op: string, x: Graded, at: Graded, epsilon: number, cell: Cell): Graded {
  cell.usesGaps = true
  const [change, q] = [x.size(cell), root(op, at, epsilon, cell)]
  if (change === null) return Graded.ZERO
  const gap = lead(change).minus(q.times(2))
  const isSmall = cell.compare(gap, Affine.ZERO) <= 0
  const result: Size = sizeOf(isSmall ? gap.minus(q) : q.negated)
  const isKnown = change.relation === "equal" && at.size(cell)?.relation !== "atMost"
  return Graded.even(isKnown ? result : weakened(result))
}

/** γ[√(x + ε)]. @throws Underivable where nothing bounds it from below. */
function root(op: string, x: Graded, epsilon: number, cell: Cell): Affine {
  const size = x.size(cell)
  if (epsilon === 0 && size?.relation !== "equal") throw new Underivable(op, "nothing bounds its argument from below")
  if (size === null) return Affine.ZERO
  const isLarge = epsilon === 0 || cell.compare(lead(size), Affine.ZERO) > 0
  return isLarge ? lead(size).times("1/2") : Affine.ZERO
}
