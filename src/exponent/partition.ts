import { Condition } from "./condition.js"
import { type Constraint, holdsAt, implies, isFeasible, negate, witness } from "./system.js"

/** A closed cell of a subdivision, and what it allows of itself: constraints, none an equation. */
export interface AllowedCell {
  readonly where: readonly Constraint[]
  readonly allowed: readonly Constraint[]
}

/**
 * Of a domain, what the cells of a subdivision allow of themselves, all together, if that is one polyhedron with an inside, bounded
 * by nothing but constraints of what is allowed; null if it is not, or not seen to be.
 *
 * Of each such constraint that holds on all that is allowed one half-space is taken. All that is allowed lies in their
 * intersection; and that lies in what is allowed if it meets no cell's inside where the cell does not allow it, since
 * cells are closed. This asks of each cell once, where joining cells two by two asks of all pairs.
 *
 * @param cells the cells that allow something, closed.
 * @param outside the others: with the cells they cover the domain, and no two have an inside in common.
 * @returns constraints of which none follows from the others within the domain.
 */
export function allowedPolyhedron(
  cells: readonly AllowedCell[],
  outside: readonly (readonly Constraint[])[],
  domain: readonly Constraint[] = [],
): Condition | null {
  if (cells.some(({ where }) => where.some(({ relation }) => relation !== "<="))) return null
  const pieces = cells.flatMap((cell) => {
    const constraints = [...cell.where, ...cell.allowed]
    const point = witness(constraints)
    return point === null ? [] : [{ ...cell, constraints, point }]
  })
  if (pieces.length === 0) return Condition.NEVER
  const asked = new Map(cells.flatMap(({ allowed }) => allowed.map((each) => [each.form.scaled.key, each])))
  const sides = [...asked.values()].filter(
    (side) =>
      pieces.every(({ point }) => holdsAt(side, point)) &&
      pieces.every(({ allowed, constraints }) => allowed.includes(side) || implies(constraints, side)),
  )
  const hull = sides.reduce<readonly Constraint[]>((kept, side) => {
    const others = kept.filter((other) => other !== side)
    return implies([...domain, ...others], side) ? others : kept
  }, sides)
  if (witness(inside([...domain, ...hull])) === null) return null
  const isOpen = ({ where, allowed }: AllowedCell) =>
    allowed
      .filter((each) => !sides.some((side) => side.form.scaled === each.form.scaled))
      .some((each) => negate(each).some((opposite) => isFeasible([...inside(where), ...hull, opposite])))
  const isWhole = !cells.some(isOpen) && !outside.some((where) => isFeasible([...inside(where), ...hull]))
  return isWhole ? Condition.all(hull) : null
}

function inside(constraints: readonly Constraint[]): Constraint[] {
  return constraints.map(({ form }) => ({ form, relation: "<" }))
}
