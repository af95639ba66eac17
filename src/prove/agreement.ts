import type { RecurrenceJson, Term } from "../../proofs/kernel.js"
import { atStep, type Derivation } from "../derive/derive.js"
import { MaxPlus } from "../exponent/maxPlus.js"
import { type Constraint, isFeasible } from "../exponent/system.js"
import { affineOf } from "./recurrence.js"

type Values = ReadonlyMap<string, MaxPlus>

/** The quantities of a recurrence at t = 1, 2, …, as maxima over all its paths. */
function unrolled({ start, step, quantities }: RecurrenceJson, steps: number): Values[] {
  const nothing: Values = new Map()
  let before = readAll(start, nothing, nothing)
  return Array.from({ length: steps }, () => {
    const after = readAll(step, before, nothing)
    const seen = readAll(quantities, before, after)
    before = after
    return seen
  })
}

/**
 * Where a recurrence and the engine's derivation from the program differ, for all values of the symbols: the first
 * quantity and step of each difference; empty if they agree in the listed steps.
 */
export function disagreements(recurrence: RecurrenceJson, derivation: Derivation, steps: number): string[] {
  const domain = recurrence.domain.map((json): Constraint => ({ form: affineOf(json), relation: "<=" }))
  return unrolled(recurrence, steps).flatMap((values, i) =>
    [...values].flatMap(([name, value]) => {
      const quantity = derivation.quantities[name]
      // The largest of δ¹, δ², δ³, which are compared themselves.
      if (name === "deltaZB") return []
      if (quantity === undefined) return [`${name}, which the program does not watch`]
      const derived = atStep(quantity, i + 1)?.convex
      const isEqual = derived && isWithin(derived, value, domain) && isWithin(value, derived, domain)
      return isEqual ? [] : [`${name} at t = ${i + 1}`]
    }),
  )
}

/** Whether x ≤ y on the domain: no form of x exceeds all of y there. */
function isWithin(x: MaxPlus, y: MaxPlus, domain: readonly Constraint[]): boolean {
  return x.forms.every(
    (form) => !isFeasible([...domain, ...y.forms.map((f): Constraint => ({ form: f.minus(form), relation: "<" }))]),
  )
}

function readAll(terms: Readonly<Record<string, Term>>, before: Values, after: Values): Values {
  return new Map(Object.entries(terms).map(([name, term]) => [name, read(term, before, after)]))
}

function read(term: Term, before: Values, after: Values): MaxPlus {
  const again = (inner: Term) => read(inner, before, after)
  if ("form" in term) return MaxPlus.of(affineOf(term.form))
  if ("zero" in term) return MaxPlus.NEGATIVE_INFINITY
  if ("of" in term) return before.get(term.of)!
  if ("next" in term) return after.get(term.next)!
  if ("max" in term) return MaxPlus.max(...term.max.map(again))
  if ("sum" in term) return term.sum.map(again).reduce((x, y) => x.plus(y), MaxPlus.ZERO)
  return again(term.unit).isNegativeInfinity ? MaxPlus.NEGATIVE_INFINITY : MaxPlus.ZERO
}
