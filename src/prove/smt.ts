import { Fraction } from "fraction.js"
import type { Certificate, ConstraintJson, FormJson, Term } from "../../proofs/kernel.js"
import { type Affine, Affine as Form } from "../exponent/affine.js"
import { affineOf } from "./recurrence.js"
import type { Theorem } from "./theorem.js"

const PRELUDE = `(set-logic ALL)
; an exponent: -infinity or a real number
(declare-datatype E ((ninf) (fin (val Real))))
(define-fun plus ((x E) (y E)) E (ite (or (= x ninf) (= y ninf)) ninf (fin (+ (val x) (val y)))))
(define-fun maximum ((x E) (y E)) E (ite (= x ninf) y (ite (= y ninf) x (ite (<= (val x) (val y)) y x))))
(define-fun unit ((x E)) E (ite (= x ninf) ninf (fin 0.0)))
(define-fun atMost ((x E) (q Real)) Bool (or (= x ninf) (<= (val x) q)))
(define-fun equals ((x E) (q Real)) Bool (and (not (= x ninf)) (= (val x) q)))
(define-fun size ((x Real)) Real (ite (< x 0.0) (- x) x))`

/**
 * The whole theorem in SMT-LIB 2, negated: every check is unsatisfiable if and only if it is true for all t and all
 * real symbols.
 *
 * The recurrence is an axiom for all t ≥ 0. First-order arithmetic does not know induction, so the instances that the
 * proof needs are axioms too: that a state that repeats does so for ever, and, where exponents grow, that k periods
 * later they are at least their value plus g(k), g(k) = k times the growth, which exceeds any bound for some k.
 *
 * @throws Unstatable for a growth of several sizes.
 */
export function smtText({ statement, recurrence, claim, certificate }: Theorem): string {
  const symbols = symbolsOf([
    ...recurrence.domain,
    ...claim.where.flatMap((piece) => piece.map(({ form }) => form)),
    ...[recurrence.start, recurrence.step, recurrence.quantities].flatMap((terms) =>
      Object.values(terms).flatMap(formsOf),
    ),
  ])
  const state = Object.keys(recurrence.step)
  const { settled, growing } = shape(certificate)
  const step = (t: string): string[] =>
    Object.entries(recurrence.step).map(
      ([name, term]) =>
        `(= (${name} ${plusOne(t)}) ${termText(
          term,
          (of) => `(${of} ${t})`,
          (next) => `(${next} ${plusOne(t)})`,
        )})`,
    )
  const asked = [...new Set(claim.atoms.map(({ quantity }) => quantity))]
  const atoms = claim.atoms.map(({ quantity, relation, bound, from }) => {
    const test = (t: string | number) =>
      `(${relation === "<=" ? "atMost" : "equals"} (q.${quantity} ${t}) ${real(bound)})`
    // The steps before the state repeats are listed beside the quantifier, so that no solver has to find them.
    const listed = Array.from({ length: LISTED_STEPS + 1 - from }, (_, i) => test(from + i))
    return both([...listed, `(forall ((t Int)) (! (=> (>= t ${from}) ${test("t")}) ${patterns(state, "t")}))`])
  })
  const where = either(claim.where.map((piece) => both(piece.map(constraintText))))
  // A direction in several parts is easier for a solver than as one formula.
  const parts = [
    ...(claim.direction === "only if" ? [] : atoms.map((atom) => ["if", where, atom] as const)),
    ...(claim.direction === "if" ? [] : [["only if", both(atoms), where] as const]),
  ]
  return [
    `; ${statement.title}`,
    `; ${statement.scheme}: ${statement.claim}`,
    PRELUDE,
    ...symbols.map((symbol) => `(declare-const ${symbol} Real)`),
    ...recurrence.domain.map((form) => `(assert (<= ${formText(form)} 0.0))`),
    "; the state at step t",
    ...state.map((name) => `(declare-fun ${name} (Int) E)`),
    ...Object.entries(recurrence.start).map(
      ([name, term]) => `(assert (= (${name} 0) ${termText(term, String, String)}))`,
    ),
    `(assert (forall ((t Int)) (! (=> (>= t 0) ${both(step("t"))}) ${patterns(state, "(+ t 1)")})))`,
    "; its first steps, listed",
    ...Array.from({ length: LISTED_STEPS }, (_, t) => `(assert ${both(step(String(t)))})`),
    "; the quantities of step t, from the states before and after it",
    ...asked.map((name) => {
      const term = recurrence.quantities[name]!
      const text = termText(
        term,
        (of) => `(${of} (- t 1))`,
        (next) => `(${next} t)`,
      )
      return `(define-fun q.${name} ((t Int)) E ${text})`
    }),
    ...(settled === 0 ? [] : repetition(state, settled, step)),
    ...growing.flatMap((growth, i) => growthAxioms(growth, symbols, claim.atoms[growth.grows]!.bound, `g${i}`, step)),
    ...parts.flatMap(([direction, given, then]) => [
      `; the theorem, ${direction}`,
      "(push 1)",
      `(assert (and ${given} (not ${then})))`,
      "(check-sat)",
      "(pop 1)",
    ]),
    "",
  ].join("\n")
}

const LISTED_STEPS = 6

/** The equations of the step from t to t + 1. */
type Step = (t: string) => string[]

/** Every term of the state at a step starts an instance. */
function patterns(state: readonly string[], t: string): string {
  return state.map((name) => `:pattern ((${name} ${t}))`).join(" ")
}

function plusOne(t: string): string {
  return /^\d+$/.test(t) ? String(Number(t) + 1) : `(+ ${t} 1)`
}

interface Growth {
  readonly steps: number
  readonly period: number
  readonly grows: number
  readonly increments: Readonly<Record<string, FormJson>>
}

/** The step from which all leaves that hold have repeated, and the ways in which others grow. */
function shape(certificate: Certificate): { readonly settled: number; readonly growing: readonly Growth[] } {
  if ("absurd" in certificate) return { settled: 0, growing: [] }
  if ("split" in certificate) {
    const [x, y] = [shape(certificate.atMost), shape(certificate.above)]
    const growing = new Map([...x.growing, ...y.growing].map((growth) => [JSON.stringify(growth), growth]))
    return { settled: Math.max(x.settled, y.settled), growing: [...growing.values()] }
  }
  const { steps, verdict } = certificate
  if ("holds" in verdict) return { settled: steps, growing: [] }
  return { settled: 0, growing: "grows" in verdict ? [{ steps, ...verdict }] : [] }
}

/** The instance of induction for a state that repeats from a step on. */
function repetition(state: readonly string[], from: number, step: Step): string[] {
  const same = (t: string) => both(state.map((name) => `(= (${name} ${t}) (${name} ${from}))`))
  return [
    `; induction: a state that is that of step ${from} stays so`,
    `(assert (=> (and ${same(String(from))} (forall ((t Int)) (=> (and (>= t ${from}) ${same("t")} ${both(step("t"))}) ${same("(+ t 1)")})))`,
    `  (forall ((t Int)) (! (=> (>= t ${from}) ${same("t")}) ${patterns(state, "t")}))))`,
  ]
}

/** The instance of induction for a state that grows, and the Archimedean property of its growth. */
function growthAxioms(
  { steps, period, increments }: Growth,
  symbols: readonly string[],
  bound: string,
  g: string,
  step: Step,
): string[] {
  const forms = Object.entries(increments).map(([name, json]) => [name, affineOf(json)] as const)
  const unit = leastIncrement(forms.map(([, form]) => form))
  const at = (k: string) => `(+ ${steps} (* ${period} ${k}))`
  const through = (k: string) => Array.from({ length: period }, (_, i) => both(step(`(+ ${at(k)} ${i})`))).join(" ")
  const above = (k: string) =>
    both(
      forms.map(([name, form]) => {
        const [now, then] = [`(${name} ${at(k)})`, `(val (${name} ${steps}))`]
        const multiple = multipleOf(form, unit)!
        const least = multiple === "0" ? then : `(+ ${then} (* ${real(multiple)} (${g} ${k})))`
        return `(and (not (= ${now} ninf)) (>= (val ${now}) ${least}))`
      }),
    )
  const size = [real(bound), ...symbols, ...forms.map(([name]) => `(val (${name} ${steps}))`)].map((x) => `(size ${x})`)
  return [
    `; growth: ${g}(k) is k times ${affineText(unit)}, and exceeds any bound`,
    `(declare-fun ${g} (Int) Real)`,
    `(assert (= (${g} 0) 0.0))`,
    `(assert (forall ((k Int)) (! (=> (>= k 0) (= (${g} (+ k 1)) (+ (${g} k) ${affineText(unit)}))) :pattern ((${g} k)))))`,
    `(declare-const ${g}.many Int)`,
    `(assert (=> (> ${affineText(unit)} 0.0) (and (>= ${g}.many 1) (> (${g} ${g}.many) (+ 1.0 ${size.join(" ")})))))`,
    "; induction: k periods later the state is at least its value plus its multiple of that",
    `(assert (=> (and ${above("0")} (forall ((k Int)) (=> (and (>= k 0) ${above("k")} ${through("k")}) ${above("(+ k 1)")})))`,
    `  (forall ((k Int)) (! (=> (>= k 0) ${above("k")}) :pattern ((${g} k))))))`,
  ]
}

/** A theorem whose SMT-LIB text this project cannot write, with the reason. */
export class Unstatable extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = "Unstatable"
  }
}

/** The increment of which all others are multiples, 0 or at least 1. */
function leastIncrement(forms: readonly Affine[]): Affine {
  const divides = (unit: Affine) =>
    forms.every((form) => {
      const multiple = multipleOf(form, unit)
      return multiple !== null && (multiple === "0" || new Fraction(multiple).compare(1) >= 0)
    })
  const found = forms.find((form) => form.key !== Form.ZERO.key && divides(form))
  if (found === undefined) throw new Unstatable("the state grows by increments that are no multiples of one of them")
  return found
}

/** The factor between two forms, null if there is none. */
function multipleOf(form: Affine, unit: Affine): string | null {
  if (form.key === Form.ZERO.key) return "0"
  const [symbol] = unit.symbols
  const factor =
    symbol === undefined ? form.constant.div(unit.constant) : form.coefficient(symbol).div(unit.coefficient(symbol))
  return unit.times(factor).key === form.key ? factor.toFraction() : null
}

function termText(term: Term, of: (name: string) => string, next: (name: string) => string): string {
  const again = (inner: Term) => termText(inner, of, next)
  const chain = (operation: string, terms: readonly Term[], none: string) =>
    terms.length === 0 ? none : terms.map(again).reduceRight((rest, text) => `(${operation} ${text} ${rest})`)
  if ("form" in term) return `(fin ${formText(term.form)})`
  if ("zero" in term) return "ninf"
  if ("of" in term) return of(term.of)
  if ("next" in term) return next(term.next)
  if ("unit" in term) return `(unit ${again(term.unit)})`
  return "max" in term ? chain("maximum", term.max, "ninf") : chain("plus", term.sum, "(fin 0.0)")
}

function formsOf(term: Term): FormJson[] {
  if ("form" in term) return [term.form]
  if ("max" in term) return term.max.flatMap(formsOf)
  if ("sum" in term) return term.sum.flatMap(formsOf)
  return "unit" in term ? formsOf(term.unit) : []
}

function symbolsOf(forms: readonly FormJson[]): string[] {
  return [...new Set(forms.flatMap((form) => Object.keys(form)))].filter((name) => name !== "").sort()
}

function formText(json: FormJson): string {
  return affineText(affineOf(json))
}

function affineText(form: Affine): string {
  const terms = [...form.coefficients].map(([name, q]) => `(* ${real(q.toFraction())} ${name})`)
  if (form.constant.n !== 0n || terms.length === 0) terms.push(real(form.constant.toFraction()))
  return terms.length === 1 ? terms[0]! : `(+ ${terms.join(" ")})`
}

/** A rational as SMT-LIB writes reals. */
function real(text: string): string {
  const [, sign, numerator, denominator] = /^(-?)(\d+)(?:\/(\d+))?$/.exec(text)!
  const size = denominator === undefined ? `${numerator}.0` : `(/ ${numerator}.0 ${denominator}.0)`
  return sign === "-" ? `(- ${size})` : size
}

function constraintText({ form, relation }: ConstraintJson): string {
  return `(${relation === "==" ? "=" : relation} ${formText(form)} 0.0)`
}

function both(texts: readonly string[]): string {
  return texts.length === 0 ? "true" : texts.length === 1 ? texts[0]! : `(and ${texts.join(" ")})`
}

function either(texts: readonly string[]): string {
  return texts.length === 0 ? "false" : texts.length === 1 ? texts[0]! : `(or ${texts.join(" ")})`
}
