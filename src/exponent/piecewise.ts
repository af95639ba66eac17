import { Affine } from "./affine.js"
import { MaxPlus } from "./maxPlus.js"
import { type Constraint, implies, isFeasible } from "./system.js"

/** One affine piece of a function: its form on a closed polyhedron. */
export interface AffinePiece {
  readonly where: readonly Constraint[]
  readonly form: Affine
}

/**
 * A continuous piecewise-affine exponent, as a max of minima of affine forms; −∞ without any.
 *
 * Most exponents are maxima of forms ({@link convex}); those that contain a gap between two sizes need the minima.
 */
export class Piecewise {
  static readonly NEGATIVE_INFINITY = new Piecewise([])

  readonly minima: readonly (readonly Affine[])[]
  readonly key: string

  private constructor(minima: readonly (readonly Affine[])[]) {
    this.minima = minima
    this.key = minima.map((forms) => forms.map((form) => form.key).join(" & ")).join(" | ")
  }

  /** The max of affine forms. */
  static max(element: MaxPlus): Piecewise {
    return new Piecewise(element.forms.map((form) => [form]))
  }

  /**
   * The continuous function with the given pieces, which cover its domain; null if the pieces jump.
   *
   * If every form is the largest on its own piece the function is their max. If not it is the max over pieces of the
   * min of the forms that are nowhere below the piece's own form on it (the lattice form, Tarela and Martínez 1999).
   * That holds of pieces in which no form crosses the piece's own; others may do, and are cut where they do not.
   */
  static ofPieces(pieces: readonly AffinePiece[]): Piecewise | null {
    const forms = [...new Map(pieces.map(({ form }) => [form.key, form])).values()]
    const isConvex = pieces.every((piece) => forms.every((form) => isBelow(piece, form, piece.form)))
    if (isConvex) return Piecewise.max(MaxPlus.of(...forms))
    return Piecewise.lattice(pieces, forms) ?? Piecewise.lattice(uncrossed(pieces, forms), forms)
  }

  /** The lattice form of the pieces; null where it exceeds one of them. */
  private static lattice(pieces: readonly AffinePiece[], forms: readonly Affine[]): Piecewise | null {
    const minima = pieces.map((piece) => forms.filter((form) => isBelow(piece, piece.form, form)).sort(byKey))
    const exceeds = (set: readonly Affine[], { where, form }: AffinePiece) =>
      isFeasible([...where, ...set.map((other): Constraint => ({ form: form.minus(other), relation: "<" }))])
    const distinct = [...new Map(minima.map((set) => [set.map((form) => form.key).join(), set])).values()]
    // A min over more forms is nowhere larger than one over fewer of them.
    const needed = distinct.filter(
      (set) => !distinct.some((other) => other !== set && other.every((form) => set.includes(form))),
    )
    if (needed.some((set) => pieces.some((piece) => exceeds(set, piece)))) return null
    return new Piecewise(needed.map(least).sort((x, y) => (x[0]!.key < y[0]!.key ? -1 : 1)))
  }

  /** The function as a max of forms, or null if it is not one. */
  get convex(): MaxPlus | null {
    return this.minima.every((forms) => forms.length === 1) ? MaxPlus.of(...this.minima.map(([form]) => form!)) : null
  }

  get isNegativeInfinity(): boolean {
    return this.minima.length === 0
  }

  get symbols(): string[] {
    return [...new Set(this.minima.flatMap((forms) => forms.flatMap((form) => form.symbols)))].sort()
  }

  /** The function with the given symbols replaced by forms. */
  substitute(values: ReadonlyMap<string, Affine>): Piecewise {
    const replaced = this.minima.map((forms) => forms.map((form) => form.substitute(values)))
    if (replaced.length > 0 && replaced.every((forms) => forms.every((form) => form.isConstant))) {
      const value = (forms: readonly Affine[]) =>
        forms.map((form) => form.constant).reduce((x, y) => (x.lte(y) ? x : y))
      return Piecewise.max(MaxPlus.of(...replaced.map((forms) => Affine.constant(value(forms)))))
    }
    return new Piecewise(replaced)
  }
}

function byKey(x: Affine, y: Affine): number {
  return x.key < y.key ? -1 : 1
}

/** The forms of a min without those that exceed another one of them everywhere. */
function least(forms: readonly Affine[]): Affine[] {
  const isAbove = (form: Affine, other: Affine) => {
    const gap = form.minus(other)
    return gap.isConstant && gap.constant.compare(0) > 0
  }
  return forms.filter((form) => !forms.some((other) => isAbove(form, other)))
}

/** Whether one form is nowhere above another on a piece. */
function isBelow({ where }: AffinePiece, x: Affine, y: Affine): boolean {
  return x.key === y.key || implies(where, { form: x.minus(y), relation: "<=" })
}

/** The pieces cut where a form crosses their own. */
function uncrossed(pieces: readonly AffinePiece[], forms: readonly Affine[]): AffinePiece[] {
  return forms.reduce<AffinePiece[]>(
    (cut, other) =>
      cut.flatMap((piece) => {
        const { where, form } = piece
        if (isBelow(piece, form, other) || isBelow(piece, other, form)) return [piece]
        const side = (above: Affine): AffinePiece => ({ where: [...where, { form: above, relation: "<=" }], form })
        return [side(form.minus(other)), side(other.minus(form))]
      }),
    [...pieces],
  )
}
