import type { Fraction } from "fraction.js"
import { Affine } from "./affine.js"

/** The linear constraint `form relation 0`. */
export interface Constraint {
  readonly form: Affine
  readonly relation: "<=" | "<" | "=="
}

/** The constraints whose union is the complement of the given one. */
export function negate({ form, relation }: Constraint): Constraint[] {
  const opposite = form.times(-1)
  if (relation === "<=") return [{ form: opposite, relation: "<" }]
  if (relation === "<") return [{ form: opposite, relation: "<=" }]
  return [
    { form, relation: "<" },
    { form: opposite, relation: "<" },
  ]
}

/**
 * Whether some point of ℚᵏ satisfies all constraints, decided exactly: equalities by substitution, inequalities by
 * Fourier–Motzkin elimination. Meant for a handful of symbols; its cost grows doubly exponentially with their number.
 */
export function isFeasible(system: readonly Constraint[]): boolean {
  const equality = system.find((c) => c.relation === "==" && !c.form.isConstant)
  if (equality !== undefined) {
    const name = equality.form.symbols[0]!
    const solved = new Map([[name, solveLinear(equality.form, name)]])
    return isFeasible(system.filter((c) => c !== equality).map((c) => ({ ...c, form: c.form.substitute(solved) })))
  }
  const open: Constraint[] = []
  for (const constraint of deduplicate(system)) {
    if (!constraint.form.isConstant) open.push(constraint)
    else if (!holds(constraint.form.constant, constraint.relation)) return false
  }
  if (open.length === 0) return true
  return isFeasible(eliminate(open, cheapestSymbol(open)))
}

/** Whether every point of the system satisfies the constraint. */
export function implies(system: readonly Constraint[], constraint: Constraint): boolean {
  return negate(constraint).every((opposite) => !isFeasible([...system, opposite]))
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

/** Parallel constraints reduced to the tightest, so that elimination does not drown in copies. */
function deduplicate(system: readonly Constraint[]): Constraint[] {
  const tightest = new Map<string, Constraint>()
  for (const { form, relation } of system) {
    const scale = form.isConstant ? form.constant.abs() : [...form.coefficients.values()][0]!.abs()
    const scaled = scale.n === 0n ? form : form.times(scale.inverse())
    const direction = `${relation === "=="} ${scaled.minus(Affine.constant(scaled.constant)).key}`
    const seen = tightest.get(direction)
    const order = seen === undefined ? 1 : scaled.constant.compare(seen.form.constant)
    if (order > 0 || (order === 0 && relation === "<")) tightest.set(direction, { form: scaled, relation })
  }
  return [...tightest.values()]
}

function cheapestSymbol(system: readonly Constraint[]): string {
  const names = [...new Set(system.flatMap((c) => c.form.symbols))]
  const cost = (name: string) => {
    const signs = system.map((c) => c.form.coefficient(name)).filter((q) => q.n !== 0n)
    const positive = signs.filter((q) => q.s > 0n).length
    return positive * (signs.length - positive)
  }
  return names.reduce((best, name) => (cost(name) < cost(best) ? name : best))
}

function eliminate(system: readonly Constraint[], name: string): Constraint[] {
  const sign = (c: Constraint) => (c.form.coefficient(name).n === 0n ? 0n : c.form.coefficient(name).s)
  const upper = system.filter((c) => sign(c) > 0n)
  const lower = system.filter((c) => sign(c) < 0n)
  const combined = upper.flatMap((u) =>
    lower.map((l): Constraint => {
      const form = u.form
        .times(u.form.coefficient(name).inverse())
        .plus(l.form.times(l.form.coefficient(name).abs().inverse()))
      return { form, relation: u.relation === "<" || l.relation === "<" ? "<" : "<=" }
    }),
  )
  return [...system.filter((c) => sign(c) === 0n), ...combined]
}
