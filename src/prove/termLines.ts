import type { RecurrenceJson, Term } from "../../proofs/kernel.js"
import { formatAffine } from "../exponent/grammar.js"
import { affineOf } from "./recurrence.js"

/** A recurrence as lines of text: the start, then every variable and quantity after a step. */
export function termLines({ start, step, quantities }: RecurrenceJson): string[] {
  return [
    ...Object.entries(start).map(([name, term]) => `${name}(0) = ${termText(term)}`),
    ...Object.entries(step).map(([name, term]) => `${name}' = ${termText(term)}`),
    ...Object.entries(quantities).map(([name, term]) => `${name}' = ${termText(term)}`),
  ]
}

function termText(term: Term): string {
  if ("form" in term) return formatAffine(affineOf(term.form))
  if ("zero" in term) return "-inf"
  if ("of" in term) return term.of
  if ("next" in term) return `${term.next}'`
  if ("unit" in term) return `unit(${termText(term.unit)})`
  return "max" in term ? `max(${term.max.map(termText).join(", ")})` : term.sum.map(termText).join(" + ")
}
