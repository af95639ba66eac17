import { Affine } from "./affine.js"
import type { MaxPlus } from "./maxPlus.js"
import { type Constraint, holdsAt, implies, irredundant, isFeasible, negate, solveLinear, witness } from "./system.js"

/**
 * A set of symbol values: a union of polyhedra, each a conjunction of linear constraints.
 *
 * Built by `and`, `or`, `not`; kept simplified (no empty piece, no redundant constraint, equalities solved for their
 * last symbol), so that "cA + cB == -1 and cA >= -1" is what a reader would have written.
 */
export class Condition {
  static readonly ALWAYS = new Condition([[]])
  static readonly NEVER = new Condition([])

  readonly pieces: readonly (readonly Constraint[])[]

  private constructor(pieces: readonly (readonly Constraint[])[]) {
    this.pieces = pieces
  }

  /** The set where `form relation 0`. */
  static where(form: Affine, relation: Constraint["relation"]): Condition {
    return Condition.any([[{ form, relation }]])
  }

  /** The polyhedron of the given constraints. */
  static all(constraints: readonly Constraint[]): Condition {
    return Condition.any([constraints])
  }

  /** The set where the max is ≤ the bound: all its forms are. */
  static atMost(element: MaxPlus, bound: Affine = Affine.ZERO): Condition {
    return Condition.ALWAYS.and(...element.forms.map((form) => Condition.where(form.minus(bound), "<=")))
  }

  /** The set where the max equals the value: no form exceeds it and one reaches it. Empty for −∞. */
  static equal(element: MaxPlus, value: Affine = Affine.ZERO): Condition {
    const reached = Condition.NEVER.or(...element.forms.map((form) => Condition.where(form.minus(value), "==")))
    return Condition.atMost(element, value).and(reached)
  }

  /** The union of polyhedra, each of the given constraints. */
  static any(pieces: readonly (readonly Constraint[])[]): Condition {
    const simple = pieces.map(simplified).filter((piece) => piece !== null)
    const kept: (readonly Constraint[])[] = []
    simple.forEach((piece, i) => {
      const point = witness(piece)!
      const covered = (other: readonly Constraint[]) =>
        other.every((constraint) => holdsAt(constraint, point)) &&
        other.every((constraint) => implies(piece, constraint))
      if (!kept.some(covered) && !simple.slice(i + 1).some((other) => covered(other) && !sameSet(other, piece)))
        kept.push(piece)
    })
    return new Condition(kept)
  }

  and(...others: readonly Condition[]): Condition {
    return others.reduce<Condition>(
      (set, other) => Condition.any(set.pieces.flatMap((p) => other.pieces.map((q) => [...p, ...q]))),
      this,
    )
  }

  or(...others: readonly Condition[]): Condition {
    return Condition.any([this, ...others].flatMap((set) => set.pieces))
  }

  /** The complement. */
  not(): Condition {
    const complements = this.pieces.map((piece) => Condition.any(piece.flatMap(negate).map((c) => [c])))
    return Condition.ALWAYS.and(...complements)
  }

  get isNever(): boolean {
    return this.pieces.length === 0
  }

  /** Whether every point of this set lies in the other. */
  isWithin(other: Condition): boolean {
    return this.pieces.every((piece) => isCovered(piece, other.pieces))
  }

  /** Whether both are the same set, however written. */
  equals(other: Condition): boolean {
    return this.isWithin(other) && other.isWithin(this)
  }

  /**
   * The same set in fewer pieces: two become the polyhedron of the constraints of either that hold on both (their
   * union, if that is convex: Bemporad, Fukuda, Torrisi 2001), as long as one such lies in the set. Then each piece
   * loses the inequalities that only keep it out of other pieces.
   */
  merged(): Condition {
    const [waiting, done] = [[...this.pieces], [] as (readonly Constraint[])[]]
    for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
      const larger = joinedWithOne(piece, waiting, this.pieces)
      if (larger === null) done.push(piece)
      else {
        // What was done may merge with the larger piece.
        const rest = [...done.splice(0), ...waiting].filter((other) => !isCovered(other, [larger]))
        waiting.splice(0, waiting.length, larger, ...rest)
      }
    }
    return Condition.any(done.map((piece) => relaxed(piece, done)))
  }

  /** The set as it is said of a domain: without the inequalities that the domain and the rest of their piece imply. */
  within(domain: readonly Constraint[]): Condition {
    if (domain.length === 0) return this
    const shortened = (piece: readonly Constraint[]) => {
      const open = piece.filter((c) => !implies(domain, c))
      return open.reduce<readonly Constraint[]>((kept, c) => {
        const rest = kept.filter((other) => other !== c)
        return c.relation !== "==" && implies([...domain, ...rest], c) ? rest : kept
      }, open)
    }
    return new Condition(this.pieces.map(shortened))
  }

  /** The section of the set at the given values of some symbols. */
  substitute(values: ReadonlyMap<string, Affine>): Condition {
    return Condition.any(this.pieces.map((p) => p.map((c) => ({ ...c, form: c.form.substitute(values) }))))
  }
}

/**
 * Whether the polyhedron lies in the union of the others: one of them must hold a point of it, and what that one leaves
 * must lie in the rest.
 */
function isCovered(piece: readonly Constraint[], others: readonly (readonly Constraint[])[]): boolean {
  const point = witness(piece)
  if (point === null) return true
  const first = others.find((other) => other.every((constraint) => holdsAt(constraint, point)))
  if (first === undefined) return false
  const rest = others.filter((other) => other !== first)
  const inside = [...piece]
  for (const constraint of first) {
    if (negate(constraint).some((opposite) => !isCovered([...inside, opposite], rest))) return false
    inside.push(constraint)
  }
  return true
}

function sameSet(p: readonly Constraint[], q: readonly Constraint[]): boolean {
  return p.every((c) => implies(q, c)) && q.every((c) => implies(p, c))
}

/** The polyhedron of the constraints common to the piece and one of the others, if it lies in the union of all. */
function joinedWithOne(
  piece: readonly Constraint[],
  others: readonly (readonly Constraint[])[],
  all: readonly (readonly Constraint[])[],
): Constraint[] | null {
  for (const other of others) {
    const hull = simplified(envelope(piece, other))
    if (hull !== null && isCovered(hull, [piece, other, ...all])) return hull
  }
  return null
}

/** The piece without the inequalities beyond which the others go on. */
function relaxed(piece: readonly Constraint[], all: readonly (readonly Constraint[])[]): readonly Constraint[] {
  if (all.length === 1) return piece
  let kept = piece
  for (const candidate of piece.filter(({ relation }) => relation !== "==")) {
    const others = kept.filter((c) => c !== candidate)
    const beyond = negate(candidate).map((opposite) => [...others, opposite])
    if (beyond.every((part) => isCovered(part, all))) kept = others
  }
  return kept
}

/** The constraints of either polyhedron that hold on both. */
function envelope(p: readonly Constraint[], q: readonly Constraint[]): Constraint[] {
  const oneSided = ({ form, relation }: Constraint): Constraint[] =>
    relation === "=="
      ? [
          { form, relation: "<=" },
          { form: form.negated, relation: "<=" },
        ]
      : [{ form, relation }]
  return [...p.flatMap(oneSided).filter((c) => implies(q, c)), ...q.flatMap(oneSided).filter((c) => implies(p, c))]
}

/** The piece with implied equalities made explicit and redundant constraints dropped; null if it is empty. */
function simplified(piece: readonly Constraint[]): Constraint[] | null {
  if (!isFeasible(piece)) return null
  // Where some point satisfies all inequalities strictly none of them is an equality in disguise.
  const isFull = witness(piece.map((c) => (c.relation === "<=" ? { ...c, relation: "<" } : c))) !== null
  const isTight = ({ form, relation }: Constraint) =>
    relation === "==" || (!isFull && implies(piece, { form, relation: "==" }))
  const solved = new Map<string, Affine>()
  for (const { form } of piece.filter(isTight)) {
    const rest = form.substitute(solved)
    const name = rest.symbols.at(-1)
    if (name === undefined) continue
    const value = solveLinear(rest, name)
    for (const [other, earlier] of solved) solved.set(other, earlier.substitute(new Map([[name, value]])))
    solved.set(name, value)
  }
  const equalities = [...solved].map(
    ([name, value]): Constraint => ({ form: Affine.symbol(name).minus(value), relation: "==" }),
  )
  const open = piece.filter((c) => !isTight(c)).map((c) => ({ ...c, form: c.form.substitute(solved) }))
  return [...equalities, ...irredundant(open)]
}
