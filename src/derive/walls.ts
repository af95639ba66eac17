import { Condition } from "../exponent/condition.js"
import { type Constraint, implies, irredundant } from "../exponent/system.js"
import { type Region, signNear } from "./cell.js"
import { isZeroForm } from "./graded.js"
import type { Recursion } from "./recursion.js"

/**
 * The regions, each open at the walls at which its growth vanishes, and so at every wall on the other side of which it
 * would: at the wall itself nothing grows, and limits are those of the regions beyond.
 */
export function openAtWalls<T extends Recursion | null>(regions: readonly Region<T>[]): Region<T>[] {
  const walls = regions.flatMap(({ where, point, result }): Constraint[] => [
    ...where.filter(({ relation }) => relation === "<"),
    ...Object.values(result?.growth ?? {})
      .filter((growth) => !isZeroForm(growth))
      .map((growth): Constraint => ({ form: growth.times(-signNear(growth, point)), relation: "<" })),
  ])
  const distinct = [...new Map(walls.map((wall) => [wall.form.scaled.key, wall])).values()]
  return regions.map((region) => ({
    ...region,
    where: distinct.reduce((where, wall) => opened(where, wall, regions), region.where),
  }))
}

/** The region without its part in a wall, if it stands on the wall's open side and others hold that part. */
function opened(
  where: readonly Constraint[],
  wall: Constraint,
  regions: readonly Region<unknown>[],
): readonly Constraint[] {
  const { form } = wall
  if (!implies(where, { form, relation: "<=" })) return where
  const beyond = regions.filter((region) => implies(region.where, { form: form.negated, relation: "<=" }))
  const part = Condition.all([...where, { form, relation: "==" }])
  const isHeld = part.isWithin(Condition.any(beyond.map((region) => region.where)))
  return isHeld ? irredundant([wall, ...where]) : where
}
