import { Fraction } from "fraction.js"
import type { ClaimJson, FormJson, RecurrenceJson, Term } from "../../proofs/kernel.js"

/** Symbol → its value. */
type Point = Readonly<Record<string, string>>
/** Exponents at a point; null is −∞. */
type Values = ReadonlyMap<string, Fraction | null>

/**
 * The first step at which an atom fails at a point of the symbols, by running the recurrence there in exact rationals;
 * null if none of the first `most` steps is one.
 */
export function firstFailure(
  { start, step, quantities }: RecurrenceJson,
  { quantity, relation, bound, from }: ClaimJson["atoms"][number],
  point: Point,
  most = 100_000,
): number | null {
  const nothing: Values = new Map()
  let before = readAll(start, nothing, nothing, point)
  for (let t = 1; t <= most; t++) {
    const after = readAll(step, before, nothing, point)
    const value = read(quantities[quantity]!, before, after, point)
    const holds = relation === "<=" ? value === null || value.compare(bound) <= 0 : value?.equals(bound)
    if (t >= from && !holds) return t
    before = after
  }
  return null
}

function readAll(terms: Readonly<Record<string, Term>>, before: Values, after: Values, point: Point): Values {
  return new Map(Object.entries(terms).map(([name, term]) => [name, read(term, before, after, point)]))
}

function read(term: Term, before: Values, after: Values, point: Point): Fraction | null {
  if ("form" in term) return formAt(term.form, point)
  if ("zero" in term) return null
  if ("of" in term) return before.get(term.of)!
  if ("next" in term) return after.get(term.next)!
  if ("unit" in term) return read(term.unit, before, after, point) && new Fraction(0)
  const values = ("max" in term ? term.max : term.sum).map((inner) => read(inner, before, after, point))
  const finite = values.filter((value) => value !== null)
  if ("max" in term) return finite.reduce<Fraction | null>((x, y) => (x !== null && x.compare(y) >= 0 ? x : y), null)
  return finite.length < values.length ? null : finite.reduce((x, y) => x.add(y), new Fraction(0))
}

function formAt(form: FormJson, point: Point): Fraction {
  return Object.entries(form).reduce(
    (sum, [symbol, q]) => sum.add(new Fraction(q).mul(symbol === "" ? 1 : (point[symbol] ?? 0))),
    new Fraction(0),
  )
}
