import type { Affine } from "../exponent/affine.js"
import { Condition } from "../exponent/condition.js"
import { type Constraint, isFeasible, solveLinear } from "../exponent/system.js"
import { InputError } from "../inputError.js"
import { everySite } from "../program/model.js"
import type { Region } from "./cell.js"
import type { Derivation } from "./derive.js"
import { isZeroForm } from "./graded.js"
import { type Recursion, sizeAt } from "./recursion.js"
import { type Link, Trace } from "./trace.js"

/** The statements of a derivation. */
export const STATEMENTS = [
  "stable",
  "internallyStable",
  "stableOutput",
  "featureLearning",
  "efficient",
  "largestRate",
] as const
export type StatementName = (typeof STATEMENTS)[number]

/** What makes an inequality (or an equality) part of a statement. */
export type Source =
  /** A quantity's exponent at a step must be ≤ 0, or = 0. */
  | { readonly kind: "size"; readonly quantity: string; readonly t: number }
  /** What a quantity's exponent grows by in a period must be ≤ 0, or = 0. */
  | { readonly kind: "growth"; readonly quantity: string; readonly t: number }
  /** The form of an exponent changes there: an operation compares two terms. */
  | { readonly kind: "wall"; readonly t: number }
  /** It is assumed of the scheme's symbols. */
  | { readonly kind: "domain" }
  /** No single operation asked for it. */
  | { readonly kind: "unknown" }

/** Why an inequality is part of a statement. */
export interface Reason {
  readonly constraint: Constraint
  readonly source: Source
  /** The form that the source asks to be ≤ 0 (< 0, = 0); the constraint up to a positive factor and `using`. */
  readonly form: Affine
  /** The equalities of the same piece that make the source's form the constraint's. */
  readonly using: readonly Constraint[]
  /** The form, traced back to the start; null where no operation asked for it. */
  readonly chain: Link | null
}

/** Why a quantity's exponent in the limit is a form, where it is. */
export interface LimitReason {
  readonly where: Condition
  readonly form: Affine
  /** The first step at which a cell has it. */
  readonly t: number
  readonly chain: Link | null
}

/** The reasons of every inequality of a statement, piece by piece. */
export function whyStatement(derivation: Derivation, statement: StatementName): Reason[][] {
  const condition = conditionOf(derivation, statement)
  const asked = requirements(derivation, statement)
  const traces = new Map<Region<Recursion>, Trace>()
  const traceIn = (cell: Region<Recursion>): Trace => {
    const trace = traces.get(cell) ?? new Trace(derivation.scheme, cell.point)
    traces.set(cell, trace)
    return trace
  }
  return condition.pieces.map((piece) =>
    piece.map((constraint) => reasonOf(constraint, piece, derivation, asked, traceIn)),
  )
}

/** Every exponent of a quantity in the limit, with its reason. */
export function whyQuantity({ scheme, cells }: Derivation, name: string): LimitReason[] {
  const found = new Map<string, { form: Affine; cells: Region<Recursion>[] }>()
  for (const cell of cells) {
    const form = sizeAt(cell.result, name, cell.result.steps.length + 1)
    if (form === null || !isZeroForm(cell.result.growth[name]!)) continue
    const seen = found.get(form.key) ?? { form, cells: [] }
    seen.cells.push(cell)
    found.set(form.key, seen)
  }
  const node = scheme.program.quantities[name]!
  return [...found.values()].map(({ form, cells }) => {
    const first = cells
      .map((cell) => ({ cell, t: firstStep(cell.result, name, form) }))
      .reduce((x, y) => (y.t < x.t ? y : x))
    const where = Condition.any(cells.map((cell) => cell.where))
      .merged()
      .within(scheme.domain)
    return { where, form, t: first.t, chain: new Trace(scheme, first.cell.point).of(node, first.t, form) }
  })
}

function firstStep({ steps }: Recursion, name: string, form: Affine): number {
  const at = steps.findIndex(({ sizes }) => sizes[name]?.terms[0]?.key === form.key)
  return at < 0 ? steps.length + 1 : at + 1
}

/** What a statement asks of a quantity, from a step on. */
interface Requirement {
  readonly quantity: string
  readonly from: number
  /** Whether the quantity must be Θ(1): O(1) is not enough. */
  readonly fixes: boolean
}

/** What a statement asks: see the definitions in {@link Derivation}. */
function requirements({ scheme, switches }: Derivation, statement: StatementName): Requirement[] {
  const { model, quantities, parts } = scheme.program
  const of = (name: string) =>
    (name === "f" ? [name] : everySite(model, name))
      .filter((quantity) => quantity in quantities)
      .map((quantity): Requirement => ({ quantity, from: 1, fixes: false }))
  const level = of(switches.level === "output" ? "f" : "zB")
  const fixed = (quantity: string): Requirement => ({ quantity, from: switches.from ?? 1, fixes: true })
  switch (statement) {
    case "stable":
      return of("zB")
    case "internallyStable":
      return [...of("zB"), ...of("zA")]
    case "stableOutput":
      return of("f")
    case "largestRate":
      return level
    case "featureLearning":
      return parts.flatMap(({ change }) => change.map(fixed))
    case "efficient":
      return [
        ...parts.flatMap(({ own }) => own.map(fixed)),
        ...level,
        ...(switches.stableIncludesZA ? [...of("zB"), ...of("zA")] : []),
      ]
  }
}

/** The first source found of those that make an inequality part of a piece. */
function reasonOf(
  constraint: Constraint,
  piece: readonly Constraint[],
  { scheme, cells }: Derivation,
  asked: readonly Requirement[],
  traceIn: (cell: Region<Recursion>) => Trace,
): Reason {
  const others = piece.filter((other) => other !== constraint && other.relation === "==")
  const closed = [...piece.filter((other) => other !== constraint), { ...constraint, relation: "==" } as const]
  const atFace = cells.filter(({ where }) => isFeasible([...where, ...closed].map(weak)))
  // What is assumed of the symbols may keep the face out of reach.
  const touching = atFace.length > 0 ? atFace : cells.filter(({ where }) => isFeasible([...where, ...piece].map(weak)))
  const isFixed = constraint.relation === "=="
  const named = isFixed && asked.some(({ fixes }) => fixes) ? asked.filter(({ fixes }) => fixes) : asked
  const steps = Math.max(...touching.map(({ result }) => result.steps.length + 1), ...named.map(({ from }) => from))

  /** The first of some forms that is the constraint, as it is or with the piece's equalities. */
  const first = (forms: Iterable<Candidate>): Reason | null => {
    for (const using of others.length > 0 ? [[], others] : [[]])
      for (const { form, source, chain } of forms) {
        const own = reduced(form, using)
        if (!isSame(own, constraint)) continue
        const traced = chain()
        if (traced === null && source.kind !== "domain") continue
        const signed = isPositiveMultiple(own, constraint.form) ? form : form.negated
        return { constraint, source, form: signed, using, chain: traced }
      }
    return null
  }
  const sizes = function* (): Generator<Candidate> {
    for (let t = 1; t <= steps; t++)
      for (const { quantity, from } of named)
        for (const cell of touching) {
          const form = t >= from ? sizeAt(cell.result, quantity, t) : null
          const chain = () => traceIn(cell).of(scheme.program.quantities[quantity]!, t, form!)
          if (form !== null) yield { form, source: { kind: "size", quantity, t }, chain }
        }
  }
  const domain = scheme.domain.map(({ form }): Candidate => ({ form, source: { kind: "domain" }, chain: () => null }))
  const growths = named.flatMap(({ quantity }) =>
    touching.map((cell): Candidate => {
      const { growth, period, steps } = cell.result
      const [form, t] = [growth[quantity]!, steps.length]
      const chain = () => traceIn(cell).growth(scheme.program.quantities[quantity]!, t, period, form)
      return { form, source: { kind: "growth", quantity, t }, chain }
    }),
  )
  const walls = () =>
    touching.flatMap((cell) =>
      cell.where.flatMap(({ form }): Candidate[] => {
        const link = traceIn(cell).comparison((each) => isPositiveMultiple(each, form), cell.result.steps.length)
        return link === null ? [] : [{ form: link.form, source: { kind: "wall", t: link.t }, chain: () => link }]
      }),
    )
  // An equality is asked of a size: no side of a wall, and no assumption, makes one.
  const found =
    first({ [Symbol.iterator]: sizes }) ?? (isFixed ? null : (first(domain) ?? first(growths) ?? first(walls())))
  return found ?? { constraint, source: { kind: "unknown" }, form: constraint.form, using: [], chain: null }
}

/** A form that a statement asks to be ≤ 0 or = 0, or that is. */
interface Candidate {
  readonly form: Affine
  readonly source: Source
  readonly chain: () => Link | null
}

/** The form with the equalities put in. */
function reduced(form: Affine, equalities: readonly Constraint[]): Affine {
  return equalities.reduce((rest, { form: zero }) => {
    const name = zero.symbols.at(-1)
    return name === undefined ? rest : rest.substitute(new Map([[name, solveLinear(zero, name)]]))
  }, form)
}

function isSame(form: Affine, { form: own, relation }: Constraint): boolean {
  return isPositiveMultiple(form, own) || (relation === "==" && isPositiveMultiple(form.negated, own))
}

function isPositiveMultiple(form: Affine, of: Affine): boolean {
  return !form.isConstant && form.scaled.key === of.scaled.key
}

function weak({ form, relation }: Constraint): Constraint {
  return { form, relation: relation === "==" ? "==" : "<=" }
}

function conditionOf(derivation: Derivation, statement: StatementName): Condition {
  const { switches, largestRate } = derivation
  if (statement !== "largestRate") return derivation[statement] ?? refuse(derivation, statement)
  if (largestRate[switches.level] === null) refuse(derivation, statement)
  return switches.level === "output" ? derivation.stableOutput : derivation.stable
}

function refuse({ scheme }: Derivation, statement: StatementName): never {
  throw new InputError({
    field: "--why",
    given: statement,
    allowed: `a statement that ${scheme.definition.name} has; of this one nothing is derived`,
    example: "--why stable",
  })
}
