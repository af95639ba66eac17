import type { Fraction } from "fraction.js"
import type { Certificate, ClaimJson, ConstraintJson, FactJson, RecurrenceJson, Term } from "../../proofs/kernel.js"
import { Affine } from "../exponent/affine.js"
import type { Inequality } from "../exponent/simplex.js"
import { type Constraint, implies, witness } from "../exponent/system.js"
import { farkas } from "./farkas.js"
import { firstFailure } from "./firstFailure.js"
import { affineOf, formJson } from "./recurrence.js"

/** Values of the symbols at which a claim is false. */
export interface Counterexample {
  readonly values: Readonly<Record<string, string>>
  /**
   * Which atom fails there and at which step first (null if only beyond 100,000); null where all hold although the
   * condition excludes it.
   */
  readonly fails: { readonly atom: ClaimJson["atoms"][number]; readonly step: number | null } | null
}

/** A claim decided: a certificate for the kernel, or values at which it is false. */
export type Decision =
  | { readonly proven: true; readonly certificate: Certificate }
  | { readonly proven: false; readonly counterexample: Counterexample }

const MOST_STEPS = 16
const LONGEST_PERIOD = 3

/**
 * Decides a claim about a recurrence for all t and all values of its symbols.
 *
 * The symbols' space is split wherever a max or the claim is not decided; in each part the recurrence is run until its
 * state repeats or provably grows, or an atom fails.
 *
 * @throws Undecided where neither happens within some steps, which says nothing about the claim.
 */
export function decide(recurrence: RecurrenceJson, claim: ClaimJson): Decision {
  const domain = recurrence.domain.map((json) => ({ form: affineOf(json), strict: false }))
  try {
    return { proven: true, certificate: tree(domain) }
  } catch (error) {
    if (error instanceof Refuted) return { proven: false, counterexample: error.counterexample }
    throw error
  }

  function tree(hypotheses: readonly Inequality[]): Certificate {
    const point = witness(constraints(hypotheses))
    if (point === null) {
      const multipliers = farkas({ form: Affine.ZERO, strict: true }, hypotheses)
      return { absurd: multipliers.map((q) => q.toFraction()) }
    }
    try {
      return new Leaf(recurrence, claim, hypotheses, point).certificate()
    } catch (error) {
      if (!(error instanceof Split)) throw error
      const { form } = error
      return {
        split: formJson(form),
        atMost: tree([...hypotheses, { form, strict: false }]),
        above: tree([...hypotheses, { form: form.negated, strict: true }]),
      }
    }
  }
}

/** A claim that this prover neither proves nor refutes, with the reason. */
export class Undecided extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = "Undecided"
  }
}

/** Thrown where a leaf needs to know the sign of a form: `form ≤ 0` or `form > 0`. */
class Split {
  readonly form: Affine
  constructor(form: Affine) {
    this.form = form
  }
}

class Refuted {
  readonly counterexample: Counterexample
  constructor(counterexample: Counterexample) {
    this.counterexample = counterexample
  }
}

type LeafVerdict = Extract<Certificate, { facts: unknown }>["verdict"]
type Growth = Extract<LeafVerdict, { grows: number }>

/** An exponent and its dependence on the state at an earlier step; null is −∞. */
type Value = { readonly form: Affine; readonly weights: ReadonlyMap<string, number> } | null
type Values = ReadonlyMap<string, Value>

/** A part of the symbols' space in which everything needed is decided, or a {@link Split} is thrown. */
class Leaf {
  /** What was found to hold and is part of the proof. */
  private readonly facts = new Map<string, Inequality>()
  private readonly known = new Map<string, boolean>()
  private readonly recurrence: RecurrenceJson
  private readonly claim: ClaimJson
  private readonly hypotheses: readonly Inequality[]
  private readonly point: ReadonlyMap<string, Fraction>

  constructor(
    recurrence: RecurrenceJson,
    claim: ClaimJson,
    hypotheses: readonly Inequality[],
    point: ReadonlyMap<string, Fraction>,
  ) {
    this.recurrence = recurrence
    this.claim = claim
    this.hypotheses = hypotheses
    this.point = point
  }

  certificate(): Certificate {
    const { start, step, quantities } = this.recurrence
    const states = [this.readAll(start, new Map(), new Map())]
    const seen: Values[] = []
    for (let t = 1; t <= MOST_STEPS; t++) {
      const before = states.at(-1)!
      const after = this.readAll(step, before, new Map())
      states.push(after)
      seen.push(this.readAll(quantities, before, after))
      const failing = this.claim.atoms.findIndex((atom) => t >= atom.from && this.violates(seen[t - 1]!, atom, false))
      if (failing >= 0) return this.failed({ fails: failing, step: t }, t)
      if (t > 1 && isSame(states[t]!, states[t - 1]!) && isSame(states[t - 1]!, states[t - 2]!)) {
        for (const [i, atom] of this.claim.atoms.entries())
          for (let at = atom.from; at <= Math.max(t, atom.from); at++)
            if (this.violates(seen[Math.min(at, t) - 1]!, atom, true)) {
              // The state repeats, so a later step fails like this one.
              const steps = Math.max(at, t)
              return this.failed({ fails: i, step: at }, steps)
            }
        return this.holding(t)
      }
      const grows = this.growing(states[t]!)
      if (grows !== null) return this.failed(grows, t)
    }
    throw new Undecided(`the state neither repeats nor grows steadily within ${MOST_STEPS} steps`)
  }

  private holding(steps: number): Certificate {
    if (this.claim.direction !== "if" && !this.isInside()) throw new Refuted({ values: this.values, fails: null })
    return { facts: this.proven(), steps, verdict: { holds: true } }
  }

  private failed(verdict: Exclude<LeafVerdict, { holds: true }>, steps: number): Certificate {
    if (this.claim.direction !== "only if" && !this.isOutside()) {
      const atom = this.claim.atoms["fails" in verdict ? verdict.fails : verdict.grows]!
      throw new Refuted({
        values: this.values,
        fails: { atom, step: firstFailure(this.recurrence, atom, this.values) },
      })
    }
    return { facts: this.proven(), steps, verdict }
  }

  /** The facts with their multipliers, which nothing needs of a leaf that is split or refutes the claim. */
  private proven(): FactJson[] {
    return [...this.facts.values()].map((fact) => ({
      form: formJson(fact.form),
      strict: fact.strict,
      multipliers: farkas(fact, this.hypotheses).map((q) => q.toFraction()),
    }))
  }

  private get values(): Record<string, string> {
    return Object.fromEntries([...this.point].map(([name, q]) => [name, q.toFraction()]))
  }

  /** The shortest period round which the state keeps growing from this one, and the first atom whose quantity does. */
  private growing(base: Values): Growth | null {
    const { step, quantities } = this.recurrence
    let before: Values = new Map(
      [...base].map(([name, value]) => [name, value && { form: value.form, weights: new Map([[name, 1]]) }]),
    )
    for (let period = 1; period <= LONGEST_PERIOD; period++) {
      const after = this.readAll(step, before, new Map())
      const found = this.grown(base, after, this.readAll(quantities, before, after))
      if (found !== null) return { ...found, period }
      before = after
    }
    return null
  }

  /** The first atom whose quantity keeps growing if the state does from one to a later one, which shows the quantities. */
  private grown(base: Values, after: Values, seen: Values): Pick<Growth, "grows" | "increments"> | null {
    const increments = new Map<string, Affine>()
    for (const [name, value] of base) {
      if (value === null) continue
      const later = after.get(name)
      if (!later) return null
      increments.set(name, later.form.minus(value.form))
    }
    if ([...increments.values()].every((form) => form.key === Affine.ZERO.key)) return null
    for (const [name, increment] of increments) {
      const next = weighted(after.get(name)!.weights, increments)
      if (!this.implied(increment.negated, false) || !this.implied(increment.minus(next), false)) return null
    }
    const grows = ({ quantity }: ClaimJson["atoms"][number]) => {
      const value = seen.get(quantity)
      return value ? !this.isAtMost(weighted(value.weights, increments)) : false
    }
    const found = this.claim.atoms.findIndex(grows)
    if (found < 0) return null
    return {
      grows: found,
      increments: Object.fromEntries([...increments].map(([name, form]) => [name, formJson(form)])),
    }
  }

  private violates(values: Values, { quantity, relation, bound }: ClaimJson["atoms"][number], split: boolean): boolean {
    const value = values.get(quantity)
    if (value === undefined) throw new Error(`no quantity ${quantity}`)
    if (value === null) return relation === "=="
    const excess = value.form.minus(Affine.constant(bound))
    if (split) return !this.satisfies({ form: excess, relation })
    return this.implied(excess.negated, true) || (relation === "==" && this.implied(excess, true))
  }

  private isInside(): boolean {
    return this.claim.where.some((piece) => piece.every((constraint) => this.satisfies(parsed(constraint))))
  }

  private isOutside(): boolean {
    return this.claim.where.every((piece) => piece.some((constraint) => !this.satisfies(parsed(constraint))))
  }

  /** Whether all of the leaf satisfies the constraint, or none of it; else it is split. */
  private satisfies({ form, relation }: Constraint): boolean {
    if (relation === "<") return !this.isAtMost(form.negated)
    return this.isAtMost(form) && (relation === "<=" || this.isAtMost(form.negated))
  }

  private isAtMost(form: Affine): boolean {
    if (this.implied(form, false)) return true
    if (this.implied(form.negated, true)) return false
    throw new Split(form)
  }

  /** Whether `form ≤ 0` (`< 0`) holds in all of the leaf; if so, the fact is kept. */
  private implied(form: Affine, strict: boolean): boolean {
    if (form.isConstant) return strict ? form.constant.compare(0) < 0 : form.constant.compare(0) <= 0
    const key = `${form.key} ${strict}`
    const before = this.known.get(key)
    if (before !== undefined) return before
    const holds = implies(constraints(this.hypotheses), { form, relation: strict ? "<" : "<=" })
    this.known.set(key, holds)
    if (holds) this.facts.set(key, { form, strict })
    return holds
  }

  private readAll(terms: Readonly<Record<string, Term>>, before: Values, after: Values): Values {
    return new Map(Object.entries(terms).map(([name, term]) => [name, this.read(term, before, after)]))
  }

  private read(term: Term, before: Values, after: Values): Value {
    const again = (inner: Term) => this.read(inner, before, after)
    if ("form" in term) return { form: affineOf(term.form), weights: new Map() }
    if ("zero" in term) return null
    if ("of" in term) return before.get(term.of)!
    if ("next" in term) return after.get(term.next)!
    if ("unit" in term) return again(term.unit) && { form: Affine.ZERO, weights: new Map() }
    if ("sum" in term) {
      const values = term.sum.map(again)
      if (values.some((value) => value === null)) return null
      const weights = new Map<string, number>()
      for (const [name, weight] of values.flatMap((value) => [...value!.weights]))
        weights.set(name, (weights.get(name) ?? 0) + weight)
      return { form: values.reduce((form, value) => form.plus(value!.form), Affine.ZERO), weights }
    }
    const finite = term.max.map(again).filter((value) => value !== null)
    if (finite.length === 0) return null
    const largest = finite.find((x) => finite.every((y) => this.implied(y.form.minus(x.form), false)))
    if (largest !== undefined) return largest
    for (const [i, x] of finite.entries()) for (const y of finite.slice(0, i)) this.isAtMost(x.form.minus(y.form))
    throw new Error("a max with all comparisons decided has a largest argument")
  }
}

function constraints(hypotheses: readonly Inequality[]): Constraint[] {
  return hypotheses.map(({ form, strict }) => ({ form, relation: strict ? "<" : "<=" }))
}

function parsed({ form, relation }: ConstraintJson): Constraint {
  return { form: affineOf(form), relation }
}

function weighted(weights: ReadonlyMap<string, number>, increments: ReadonlyMap<string, Affine>): Affine {
  return [...weights].reduce(
    (sum, [name, weight]) => sum.plus((increments.get(name) ?? Affine.ZERO).times(weight)),
    Affine.ZERO,
  )
}

function isSame(x: Values, y: Values): boolean {
  return [...x].every(([name, value]) => {
    const other = y.get(name) ?? null
    return value === null || other === null ? value === other : value.form.key === other.form.key
  })
}
