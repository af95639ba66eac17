import { Affine } from "../exponent/affine.js"
import type { Activation } from "../program/operation.js"
import type { Cell } from "./cell.js"
import { Graded } from "./graded.js"
import { lead, shifted, sizeOf, weakened } from "./size.js"

/** A nonlinearity φ read in exponents: φ(x), φ′(x) and φ(at + change) − φ(at). */
interface Rule {
  readonly value: (of: Graded, cell: Cell) => Graded
  readonly slope: (at: Graded, cell: Cell) => Graded
  readonly change: (change: Graded, at: Graded, cell: Cell) => Graded
}

/**
 * x F(x) for a distribution function F that is 1/2 plus an odd function of scale 1: x/2 plus x times products of an odd
 * number of parts; its derivative a half plus such products. By the mean value theorem a change is itself times the
 * derivative between both arguments, a function of them together.
 */
const gated: Rule = {
  value: (of, cell) => of.plus(cell, of.multiply(cell, scaled(of, cell).products(cell, "odd"))),
  slope: halfAndOdd,
  change: (change, at, cell) => change.multiply(cell, halfAndOdd(at.plus(cell, change), cell)),
}

/**
 * ReLU has no scale: ReLU(x) = (x + |x|)/2 is the parts of x and the products of an even number of them; ReLU′ an even
 * part (a half) and the products of an odd number.
 *
 * tanh has the scale 1: a tensor's parts count relative to max(γ[x], 0), beyond which tanh is a sign. It is odd, tanh′
 * even; where x outgrows 1, tanh′ is small but for a vanishing share of entries, so that O(1) is all that is said.
 */
export const ACTIVATIONS: Readonly<Record<Activation, Rule>> = {
  relu: {
    value: (of, cell) => {
      const size = of.size(cell)
      if (size === null) return Graded.ZERO
      const gaps = of.normalised(cell)
      return gaps.plus(cell, gaps.products(cell, "even")).map((gap) => shifted(gap, lead(size)))
    },
    slope: step,
    change: (change, at, cell) => change.multiply(cell, step(at.plus(cell, change), cell)),
  },
  tanh: {
    value: (of, cell) => scaled(of, cell).products(cell, "odd"),
    slope: (at, cell) => {
      const even = scaled(at, cell).products(cell, "even")
      return outgrows(at, cell) ? even.map(weakened) : even
    },
    // Odd in both arguments together, zero with the change: the change times products of an even number of parts.
    change: (change, at, cell) => {
      const own = scaled(change, cell)
      return own.multiply(cell, scaled(at, cell).plus(cell, own).products(cell, "even"))
    },
  },
  silu: gated,
  gelu: gated,
}

function halfAndOdd(of: Graded, cell: Cell): Graded {
  return scaled(of, cell)
    .products(cell, "odd")
    .plus(cell, Graded.even(sizeOf(Affine.ZERO)))
}

function step(of: Graded, cell: Cell): Graded {
  const even = Graded.even(sizeOf(Affine.ZERO))
  return of.isZero ? even : of.normalised(cell).products(cell, "odd").plus(cell, even)
}

/** Whether the tensor's entries are larger than Θ(1). */
export function outgrows(of: Graded, cell: Cell): boolean {
  const size = of.size(cell)
  return size !== null && cell.compare(lead(size), Affine.ZERO) > 0
}

/** The parts relative to max(γ[x], 0). */
export function scaled(of: Graded, cell: Cell): Graded {
  cell.usesGaps = true
  return outgrows(of, cell) ? of.normalised(cell) : of
}
