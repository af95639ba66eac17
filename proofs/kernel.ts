/**
 * Checker 1: reads a theorem with its certificate and accepts or refuses it.
 *
 * It imports nothing and trusts nothing: it knows rationals, linear forms, the recurrence and what a claim means. A
 * certificate is a tree that splits the values of the symbols; in each leaf it gives linear facts with their Farkas
 * multipliers, and with these the kernel runs the recurrence itself.
 */

/** A linear form as written in JSON: symbol → "p/q", the constant under "". */
export type FormJson = Readonly<Record<string, string>>

/** A term of the recurrence: an exponent of the state before the step, or ("next") after it. */
export type Term =
  | { readonly form: FormJson }
  | { readonly zero: true }
  | { readonly of: string }
  | { readonly next: string }
  | { readonly max: readonly Term[] }
  | { readonly sum: readonly Term[] }
  /** 0 if the exponent is finite, −∞ if it is −∞: the size of a scale-free function. */
  | { readonly unit: Term }

/** The state's start and step, the quantities read in each step, and what is assumed of the symbols (forms ≤ 0). */
export interface RecurrenceJson {
  readonly start: Readonly<Record<string, Term>>
  readonly step: Readonly<Record<string, Term>>
  readonly quantities: Readonly<Record<string, Term>>
  readonly domain: readonly FormJson[]
}

/** `form relation 0`. */
export interface ConstraintJson {
  readonly form: FormJson
  readonly relation: "<=" | "<" | "=="
}

/** All atoms hold (for all t ≥ from) iff, if, or only if the symbols lie in one of the polyhedra. */
export interface ClaimJson {
  readonly atoms: readonly {
    readonly quantity: string
    readonly relation: "<=" | "=="
    readonly bound: string
    readonly from: number
  }[]
  readonly direction: "iff" | "if" | "only if"
  readonly where: readonly (readonly ConstraintJson[])[]
}

/** `form ≤ 0`, or `form < 0` if strict, with a multiplier for each hypothesis. */
export interface FactJson {
  readonly form: FormJson
  readonly strict: boolean
  readonly multipliers: readonly string[]
}

export type Certificate =
  | { readonly split: FormJson; readonly atMost: Certificate; readonly above: Certificate }
  | { readonly absurd: readonly string[] }
  | {
      readonly facts: readonly FactJson[]
      readonly steps: number
      /** All atoms hold; or one fails, at a step or by growth over a period. */
      readonly verdict:
        | { readonly holds: true }
        | { readonly fails: number; readonly step: number }
        | { readonly grows: number; readonly period: number; readonly increments: Readonly<Record<string, FormJson>> }
    }

export interface TheoremJson {
  readonly recurrence: RecurrenceJson
  readonly claim: ClaimJson
  readonly certificate: Certificate
}

/** Why a certificate was refused, and at which line of it. */
export class Refusal extends Error {
  readonly line: string
  readonly reason: string
  constructor(line: string, reason: string) {
    super(`${line}: ${reason}`)
    this.name = "Refusal"
    this.line = line
    this.reason = reason
  }
}

// ---- Rationals: numerator and denominator > 0 ----

type Q = readonly [bigint, bigint]

const ZERO: Q = [0n, 1n]

function rational(text: string, line: string): Q {
  const match = /^(-?\d+)(?:\/(\d+))?$/.exec(text)
  const denominator = BigInt(match?.[2] ?? "1")
  if (match === null || denominator === 0n) throw new Refusal(line, `${text} is not a rational`)
  return [BigInt(match[1]!), denominator]
}

const add = ([a, b]: Q, [c, d]: Q): Q => [a * d + c * b, b * d]
const multiply = ([a, b]: Q, [c, d]: Q): Q => [a * c, b * d]

// ---- Linear forms ----

type Form = ReadonlyMap<string, Q>

function form(json: FormJson, line: string): Form {
  return new Map(Object.entries(json).map(([symbol, text]) => [symbol, rational(text, line)]))
}

/** x + factor · y. */
function plus(x: Form, y: Form, factor: Q = [1n, 1n]): Form {
  const sum = new Map(x)
  for (const [symbol, q] of y) sum.set(symbol, add(sum.get(symbol) ?? ZERO, multiply(factor, q)))
  return sum
}

const minus = (x: Form, y: Form): Form => plus(x, y, [-1n, 1n])
const constantOf = (x: Form): Q => x.get("") ?? ZERO
const isConstant = (x: Form): boolean => [...x].every(([symbol, [n]]) => symbol === "" || n === 0n)

/** `form ≤ 0` or `form < 0`, known to hold. */
interface Known {
  readonly form: Form
  readonly strict: boolean
}

/** Whether x ≤ 0 (x < 0 if strict) follows from one known inequality: x = known + constant ≤ 0. */
function follows(x: Form, strict: boolean, known: readonly Known[]): boolean {
  const nothing: Known = { form: new Map(), strict: false }
  return [nothing, ...known].some((fact) => {
    const rest = minus(x, fact.form)
    const [n] = constantOf(rest)
    return isConstant(rest) && (n < 0n || (n === 0n && (!strict || fact.strict)))
  })
}

/** Σ mᵢ · hypothesisᵢ for mᵢ ≥ 0, and whether a strict hypothesis has a part in it. */
function combination(multipliers: readonly string[], hypotheses: readonly Known[], line: string): Known {
  if (multipliers.length !== hypotheses.length)
    throw new Refusal(line, `${multipliers.length} multipliers for ${hypotheses.length} hypotheses`)
  let [sum, strict]: [Form, boolean] = [new Map(), false]
  multipliers.forEach((text, i) => {
    const m = rational(text, line)
    if (m[0] < 0n) throw new Refusal(line, `multiplier ${text} is negative`)
    sum = plus(sum, hypotheses[i]!.form, m)
    strict ||= m[0] > 0n && hypotheses[i]!.strict
  })
  return { form: sum, strict }
}

// ---- The recurrence, run under known inequalities ----

/** An exponent with its dependence on the state at an earlier step, as non-negative integer weights; null is −∞. */
type Value = { readonly form: Form; readonly weights: ReadonlyMap<string, bigint> } | null
type Values = ReadonlyMap<string, Value>

/** Reads a term; every max takes an argument that is known to be the largest. */
function read(term: Term, before: Values, after: Values, known: readonly Known[], line: string): Value {
  const again = (inner: Term) => read(inner, before, after, known, line)
  const named = (values: Values, name: string) => {
    const value = values.get(name)
    if (value === undefined) throw new Refusal(line, `${name} is not known here`)
    return value
  }
  if ("form" in term) return { form: form(term.form, line), weights: new Map() }
  if ("zero" in term) return null
  if ("of" in term) return named(before, term.of)
  if ("next" in term) return named(after, term.next)
  if ("unit" in term) return again(term.unit) === null ? null : { form: new Map(), weights: new Map() }
  if ("sum" in term)
    return term.sum.map(again).reduce<Value>(
      (x, y) => {
        if (x === null || y === null) return null
        const weights = new Map(x.weights)
        for (const [name, weight] of y.weights) weights.set(name, (weights.get(name) ?? 0n) + weight)
        return { form: plus(x.form, y.form), weights }
      },
      { form: new Map(), weights: new Map() },
    )
  const finite = term.max.map(again).filter((value) => value !== null)
  if (finite.length === 0) return null
  const largest = finite.find((x) => finite.every((y) => follows(minus(y.form, x.form), false, known)))
  if (largest === undefined) throw new Refusal(line, "a max is not decided by the facts")
  return largest
}

function readAll(
  terms: Readonly<Record<string, Term>>,
  before: Values,
  after: Values,
  known: readonly Known[],
  line: string,
): Values {
  return new Map(
    Object.entries(terms).map(([name, term]) => [name, read(term, before, after, known, `${line}.${name}`)]),
  )
}

function isSame(x: Values, y: Values): boolean {
  return [...x].every(([name, value]) => {
    const other = y.get(name) ?? null
    if (value === null || other === null) return value === other
    const difference = minus(value.form, other.form)
    return isConstant(difference) && constantOf(difference)[0] === 0n
  })
}

/** The sum of weights times increments. */
function weighted(weights: ReadonlyMap<string, bigint>, increments: ReadonlyMap<string, Form>): Form {
  let sum: Form = new Map()
  for (const [name, weight] of weights) sum = plus(sum, increments.get(name) ?? new Map(), [weight, 1n])
  return sum
}

// ---- The theorem ----

/**
 * Accepts the theorem by returning, or refuses it.
 *
 * @throws Refusal naming the line of the certificate that fails.
 */
export function check({ recurrence, claim, certificate }: TheoremJson): void {
  const domain = recurrence.domain.map((json) => ({ form: form(json, "domain"), strict: false }))
  checkTree(certificate, domain, "certificate")

  function checkTree(tree: Certificate, hypotheses: readonly Known[], line: string): void {
    if ("split" in tree) {
      const split = form(tree.split, line)
      checkTree(tree.atMost, [...hypotheses, { form: split, strict: false }], `${line}.atMost`)
      checkTree(tree.above, [...hypotheses, { form: minus(new Map(), split), strict: true }], `${line}.above`)
      return
    }
    if ("absurd" in tree) {
      const sum = combination(tree.absurd, hypotheses, line)
      const [n] = constantOf(sum.form)
      if (!isConstant(sum.form) || !(n > 0n || (n === 0n && sum.strict)))
        throw new Refusal(line, "the hypotheses are not shown to contradict each other")
      return
    }
    const known = tree.facts.map((fact, i): Known => {
      const at = `${line}.facts[${i}]`
      const sum = combination(fact.multipliers, hypotheses, at)
      const own = form(fact.form, at)
      if (!follows(own, fact.strict, [sum])) throw new Refusal(at, "does not follow from its multipliers")
      return { form: own, strict: fact.strict }
    })
    checkLeaf(tree.steps, tree.verdict, known, line)
  }

  function checkLeaf(
    steps: number,
    verdict: Extract<Certificate, { facts: unknown }>["verdict"],
    known: readonly Known[],
    line: string,
  ): void {
    const states: Values[] = [readAll(recurrence.start, new Map(), new Map(), known, `${line}.start`)]
    const quantities: Values[] = []
    const advance = (t: number) => {
      const before = states.at(-1)!
      const after = readAll(recurrence.step, before, new Map(), known, `${line}.t=${t}`)
      states.push(after)
      quantities.push(readAll(recurrence.quantities, before, after, known, `${line}.t=${t}`))
    }
    for (let t = 1; t <= steps; t++) advance(t)
    const atom = (i: number) => {
      const found = claim.atoms[i]
      if (found === undefined) throw new Refusal(line, `the claim has no atom ${i}`)
      return found
    }

    if ("holds" in verdict) {
      // Quantities depend on two states: from the step after the repetition on they are those of the last step.
      if (steps < 2 || !isSame(states.at(-1)!, states.at(-2)!) || !isSame(states.at(-2)!, states.at(-3)!))
        throw new Refusal(line, `the state does not repeat by step ${steps}`)
      for (const { quantity, relation, bound, from } of claim.atoms)
        for (let t = from; t <= Math.max(steps, from); t++) {
          const value = quantityAt(quantity, Math.min(t, steps))
          const at = `${line}.t=${t}.${quantity}`
          if (value === null ? relation === "==" : !holds(value.form, relation, bound, known, at))
            throw new Refusal(at, `is not shown to be ${relation} ${bound}`)
        }
      if (claim.direction !== "if") requireInside(known, line)
      return
    }
    if ("grows" in verdict) {
      const { quantity, from } = atom(verdict.grows)
      if (verdict.period < 1) throw new Refusal(line, "a period has at least one step")
      const base = states.at(-1)!
      const marked = (name: string, value: Value): Value => value && { ...value, weights: new Map([[name, 1n]]) }
      states.push(new Map([...base].map(([name, value]) => [name, marked(name, value)])))
      for (let t = steps + 1; t <= Math.max(steps + verdict.period, 1); t++) advance(t)
      const last = states.at(-1)!
      const finite = [...base].flatMap(([name, value]) => (value === null ? [] : [[name, value.form] as const]))
      const later = (name: string) => {
        const value = last.get(name)
        if (!value) throw new Refusal(line, `${name} falls to −∞`)
        return value
      }
      const increments = new Map(finite.map(([name, value]) => [name, minus(later(name).form, value)]))
      for (const [name, increment] of increments) {
        const rest = minus(increment, form(verdict.increments[name] ?? { "": "1" }, `${line}.increments`))
        if (!isConstant(rest) || constantOf(rest)[0] !== 0n)
          throw new Refusal(`${line}.increments.${name}`, "is not what the state grows by")
      }
      // A max is at least the argument taken here, so k periods later the state is at least its value plus k
      // increments.
      for (const [name, increment] of increments) {
        const next = weighted(later(name).weights, increments)
        for (const least of [minus(new Map(), increment), minus(increment, next)])
          if (!follows(least, false, known)) throw new Refusal(line, `${name} is not shown to keep growing`)
      }
      const value = quantityAt(quantity, quantities.length)
      const growth = value === null ? null : weighted(value.weights, increments)
      if (growth === null || !follows(minus(new Map(), growth), true, known))
        throw new Refusal(line, `${quantity} is not shown to grow`)
      if (from < 1) throw new Refusal(line, "steps are counted from 1")
    } else {
      const { quantity, relation, bound, from } = atom(verdict.fails)
      if (verdict.step < from || verdict.step > steps)
        throw new Refusal(line, `step ${verdict.step} is not asked about`)
      const value = quantityAt(quantity, verdict.step)
      const at = `${line}.t=${verdict.step}.${quantity}`
      const violated = value === null ? relation === "==" : fails(value.form, relation, bound, known, at)
      if (!violated) throw new Refusal(at, `is not shown to violate ${relation} ${bound}`)
    }
    if (claim.direction !== "only if") requireOutside(known, line)

    function quantityAt(name: string, t: number): Value {
      const value = quantities[t - 1]?.get(name)
      if (value === undefined) throw new Refusal(line, `no quantity ${name} at step ${t}`)
      return value
    }
  }

  /** The leaf lies in one of the claim's polyhedra. */
  function requireInside(known: readonly Known[], line: string): void {
    const inside = claim.where.some((piece) =>
      piece.every(({ form: json, relation }) => {
        const own = form(json, line)
        const isAtMost = follows(own, relation === "<", known)
        return isAtMost && (relation !== "==" || follows(minus(new Map(), own), false, known))
      }),
    )
    if (!inside) throw new Refusal(line, "the claim holds here, but the leaf is not shown to satisfy its condition")
  }

  /** The leaf lies outside all of the claim's polyhedra. */
  function requireOutside(known: readonly Known[], line: string): void {
    const outside = claim.where.every((piece) =>
      piece.some(({ form: json, relation }) => {
        const own = form(json, line)
        const isAbove = follows(minus(new Map(), own), relation !== "<", known)
        return isAbove || (relation === "==" && follows(own, true, known))
      }),
    )
    if (!outside) throw new Refusal(line, "the claim fails here, but the leaf is not shown to violate its condition")
  }
}

function holds(value: Form, relation: "<=" | "==", bound: string, known: readonly Known[], line: string): boolean {
  const excess = minus(value, form({ "": bound }, line))
  return follows(excess, false, known) && (relation === "<=" || follows(minus(new Map(), excess), false, known))
}

function fails(value: Form, relation: "<=" | "==", bound: string, known: readonly Known[], line: string): boolean {
  const excess = minus(value, form({ "": bound }, line))
  return follows(minus(new Map(), excess), true, known) || (relation === "==" && follows(excess, true, known))
}
