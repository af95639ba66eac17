import type { Fraction } from "fraction.js"
import { Affine } from "./affine.js"
import { hasInteriorPoint, type Inequality, interiorPoint } from "./simplex.js"

/** The linear constraint `form relation 0`. */
export interface Constraint {
  readonly form: Affine
  readonly relation: "<=" | "<" | "=="
}

/** The constraints whose union is the complement of the given one. */
export function negate({ form, relation }: Constraint): Constraint[] {
  const opposite = form.negated
  if (relation === "<=") return [{ form: opposite, relation: "<" }]
  if (relation === "<") return [{ form: opposite, relation: "<=" }]
  return [
    { form, relation: "<" },
    { form: opposite, relation: "<" },
  ]
}

/** What is left of a system once its equalities are solved. */
interface Solved {
  /** Each symbol that an equality gives, in terms of those after it. */
  readonly given: readonly (readonly [string, Affine])[]
  readonly open: readonly Inequality[]
}

/** Equalities solved by substitution; null where a constraint without symbols does not hold. */
function solveEqualities(system: readonly Constraint[]): Solved | null {
  const given: [string, Affine][] = []
  let rest = system
  for (;;) {
    const equality = rest.find((c) => c.relation === "==" && !c.form.isConstant)
    if (equality === undefined) break
    const name = equality.form.symbols[0]!
    const value = solveLinear(equality.form, name)
    const replaced = new Map([[name, value]])
    given.push([name, value])
    rest = rest.filter((c) => c !== equality).map((c) => ({ ...c, form: c.form.substitute(replaced) }))
  }
  const open: Inequality[] = []
  for (const { form, relation } of rest) {
    if (!form.isConstant) open.push({ form, strict: relation === "<" })
    else if (!holds(form.constant, relation)) return null
  }
  return { given, open: deduplicate(open) }
}

/**
 * A point of ℚᵏ that satisfies all constraints, as deep inside the strict ones as the others allow, or null if there is
 * none: decided exactly, equalities by substitution, inequalities by {@link interiorPoint}.
 */
export function witness(system: readonly Constraint[]): ReadonlyMap<string, Fraction> | null {
  const solved = solveEqualities(system)
  if (solved === null) return null
  const inside = points(solved.open, interiorPoint)
  if (inside === null || solved.given.length === 0) return inside
  const point = new Map(inside)
  for (const [name, value] of [...solved.given].reverse()) point.set(name, value.at(new Map(point)))
  return point
}

/** Systems remembered at most. */
const MOST_KNOWN = 100_000

/**
 * A question about inequalities with its answers so far: simplifying conditions asks of the same few systems over and
 * over.
 */
function remembering<T>(): (system: readonly Inequality[], answer: (system: readonly Inequality[]) => T) => T {
  const known = new Map<string, T>()
  return (system, answer) => {
    const key = system.map(({ form, strict }) => `${form.key} ${strict ? "<" : "<="} 0`).join()
    const seen = known.get(key)
    if (seen !== undefined) return seen
    if (known.size >= MOST_KNOWN) known.clear()
    const found = answer(system)
    known.set(key, found)
    return found
  }
}

const points = remembering<ReadonlyMap<string, Fraction> | null>()
const feasible = remembering<boolean>()

/** Whether the constraint holds at a point; symbols that the point does not name count as 0. */
export function holdsAt({ form, relation }: Constraint, point: ReadonlyMap<string, Fraction>): boolean {
  return holds(form.at(point), relation)
}

/** Whether some point of ℚᵏ satisfies all constraints, decided exactly. */
export function isFeasible(system: readonly Constraint[]): boolean {
  const solved = solveEqualities(system)
  return solved !== null && feasible(solved.open, hasInteriorPoint)
}

/** Whether every point of the system satisfies the constraint. */
export function implies(system: readonly Constraint[], constraint: Constraint): boolean {
  return negate(constraint).every((opposite) => !isFeasible([...system, opposite]))
}

/**
 * The inequalities of the other symbols that hold at exactly the points for which some value of the named symbol
 * satisfies the given inequalities: Fourier and Motzkin's elimination, without redundant ones.
 */
export function eliminate(system: readonly Constraint[], name: string): Constraint[] {
  const slope = ({ form }: Constraint) => form.coefficient(name)
  const above = system.filter((c) => slope(c).compare(0) > 0)
  const below = system.filter((c) => slope(c).compare(0) < 0)
  const free = system.filter((c) => slope(c).n === 0n)
  const pairs = above.flatMap((upper) =>
    below.map((lower): Constraint => {
      const form = upper.form.times(slope(upper).inverse()).plus(lower.form.times(slope(lower).abs().inverse()))
      return { form, relation: [upper, lower].some(({ relation }) => relation === "<") ? "<" : "<=" }
    }),
  )
  return irredundant([...free, ...pairs])
}

/** The same set by fewer constraints: each that the others imply is left out. */
export function irredundant(constraints: readonly Constraint[]): Constraint[] {
  const [first] = constraints
  if (first === undefined || first.relation === "==" || constraints.some(({ relation }) => relation !== first.relation))
    return withoutImplied(constraints)
  const inside = witness(constraints.map(({ form }) => ({ form, relation: "<" })))
  return inside === null ? withoutImplied(constraints) : walls(constraints, inside)
}

function withoutImplied(constraints: readonly Constraint[]): Constraint[] {
  let kept = [...constraints]
  for (const candidate of constraints) {
    const others = kept.filter((c) => c !== candidate)
    if (implies(others, candidate)) kept = others
  }
  return kept
}

/**
 * The inequalities that bound a polyhedron with an inside, all of them strict or none: each of the others is implied by
 * these alone, which are few. Beyond one that those found so far do not imply lies a point; on the way there from the
 * inside the first wall that is met is another one (Clarkson 1994).
 *
 * @param inside a point that satisfies all of them strictly.
 */
function walls(constraints: readonly Constraint[], inside: ReadonlyMap<string, Fraction>): Constraint[] {
  // Of equal ones the last.
  const different = [...new Map(constraints.map((c) => [c.form.scaled, c])).values()]
  const depths = different.map(({ form }) => form.at(inside).neg())
  const found = new Set<Constraint>()
  for (const candidate of different)
    while (!found.has(candidate)) {
      const closed = [...found].map(({ form }): Constraint => ({ form, relation: "<=" }))
      const beyond = witness([...closed, { form: candidate.form.negated, relation: "<" }])
      if (beyond === null) break
      found.add(firstMet(different, depths, beyond))
    }
  return constraints.filter((c) => found.has(c))
}

/** The wall that is met first on the way to a point outside; `depths` are how far each constraint is from its wall. */
function firstMet(
  constraints: readonly Constraint[],
  depths: readonly Fraction[],
  to: ReadonlyMap<string, Fraction>,
): Constraint {
  // After this share of the way, 1 / (1 + excess / depth), the wall is met.
  const ratios = constraints.map(({ form }, i) => form.at(to).div(depths[i]!))
  const largest = ratios.reduce((x, y) => (x.compare(y) < 0 ? y : x))
  const met = constraints.filter((_, i) => ratios[i]!.equals(largest))
  // Where several are met at once one of them at least is a wall.
  const isWall = (c: Constraint) => {
    const others = constraints.filter((other) => other !== c)
    return !implies(others, c)
  }
  return met.length === 1 ? met[0]! : met.find(isWall)!
}

/** The form in the other symbols that the named symbol must equal for `form` to vanish. The symbol must occur. */
export function solveLinear(form: Affine, name: string): Affine {
  const q = form.coefficient(name)
  return Affine.symbol(name).minus(form.times(q.inverse()))
}

function holds(value: Fraction, relation: Constraint["relation"]): boolean {
  const sign = value.n === 0n ? 0n : value.s
  return relation === "==" ? sign === 0n : relation === "<" ? sign < 0n : sign <= 0n
}

/** Parallel inequalities reduced to the tightest. */
function deduplicate(system: readonly Inequality[]): Inequality[] {
  const tightest = new Map<Affine, Inequality>()
  for (const { form, strict } of system) {
    const { scaled } = form
    const direction = scaled.linear
    const seen = tightest.get(direction)
    const order = seen === undefined ? 1 : scaled.constant.compare(seen.form.constant)
    if (order > 0 || (order === 0 && strict)) tightest.set(direction, { form: scaled, strict })
  }
  return [...tightest.values()]
}
