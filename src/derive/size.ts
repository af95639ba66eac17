import { Affine } from "../exponent/affine.js"
import type { Cell } from "./cell.js"

/** Whether a quantity is Θ(n^value) or only O(n^value). */
export type Relation = "equal" | "atMost"

/** Terms are kept down to this below the leading one, as an exponent. */
const WINDOW = Affine.constant(-1)
/** A fit has no use for more terms, */
const MOST_TERMS = 12
/** nor for more of one value: two tell that a value is reached in two ways. */
const MOST_OF_A_VALUE = 2

/** The exponent of a nonzero part of a tensor in a cell. */
export interface Size {
  /** The leading term first; the others only if the cell keeps terms. */
  readonly terms: readonly Affine[]
  readonly relation: Relation
  /** Whether the leading part takes values in ±(one size), as after a sign. */
  readonly discrete: boolean
  /**
   * Whether the leading term may come with a factor log n: it is a smaller part of x / √(x² + y²), whose slope in it is
   * E |y|⁻¹ down to where the two are equal.
   */
  readonly logarithmic: boolean
}

/** Sizes of one term by their form, remembered at most. */
const known = new Map<Affine, Size[]>()
const MOST_KNOWN = 100_000

/** A size; those of one term are interned, so that equal ones are mostly one object. */
function sized(size: Size): Size {
  if (size.terms.length > 1) return size
  const form = lead(size)
  const ofForm = known.get(form) ?? []
  const seen = ofForm.find(
    ({ relation, discrete, logarithmic }) =>
      relation === size.relation && discrete === size.discrete && logarithmic === size.logarithmic,
  )
  if (seen !== undefined) return seen
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(form, [...ofForm, size])
  return size
}

/** A size of one term that holds as an equality. */
export function sizeOf(form: Affine, discrete = false): Size {
  return sized({ terms: [form], relation: "equal", discrete, logarithmic: false })
}

/** The leading form of a size. */
export function lead({ terms }: Size): Affine {
  return terms[0]!
}

/** γ of a sum whose leading terms do not cancel. */
export function larger(cell: Cell, x: Size, y: Size): Size {
  if (x === y) return x
  const order = cell.compare(lead(x), lead(y))
  const [first, second] = order >= 0 ? [x, y] : [y, x]
  if (order === 0) {
    const relation = x.relation === "equal" ? x.relation : y.relation
    const [discrete, logarithmic] = [x.discrete && y.discrete, x.logarithmic || y.logarithmic]
    return sized({ relation, discrete, logarithmic, terms: joined(cell, x.terms, y.terms) })
  }
  return cell.keepsTerms ? { ...first, terms: joined(cell, first.terms, second.terms) } : first
}

/** γ of a product. */
export function product(cell: Cell, x: Size, y: Size): Size {
  const first = lead(x).plus(lead(y))
  return sized({
    terms: cell.keepsTerms ? joined(cell, productTerms(cell, first, x, y), []) : [first],
    relation: x.relation === "equal" && y.relation === "equal" ? "equal" : "atMost",
    discrete: x.discrete && y.discrete,
    logarithmic: x.logarithmic || y.logarithmic,
  })
}

/** The sums of two sizes' terms that are near the first: terms come largest first, so that those after a small one are too. */
function productTerms({ point }: Cell, first: Affine, x: Size, y: Size): Affine[] {
  const least = first.plus(WINDOW)
  const sums: Affine[] = []
  for (const p of x.terms)
    for (const q of y.terms) {
      const sum = p.plus(q)
      if (sum.compareAt(point, least) < 0) break
      sums.push(sum)
    }
  return sums
}

/** The size times n^form. */
export function shifted(size: Size, form: Affine): Size {
  return sized({ ...size, terms: size.terms.map((term) => term.plus(form)) })
}

/** The same value, known only as an upper bound. */
export function weakened(size: Size): Size {
  return sized({ ...size, relation: "atMost" })
}

/** A text that is equal for equal leading terms: what the course of a recursion depends on. */
export function sizeKey({ terms, relation, discrete }: Size): string {
  return `${terms[0]!.key} ${relation}${discrete ? " discrete" : ""}`
}

/** Distinct terms near the leading one, which stays first; the others by their values, largest first. */
function joined({ point }: Cell, x: readonly Affine[], y: readonly Affine[]): readonly Affine[] {
  const first = x[0]!
  if (x.length + y.length === 1) return x
  const least = first.plus(WINDOW)
  // Terms of a size are joined already: where the other's are among them, or too small, they stay.
  if (y.length > 0 && y.every((form) => x.includes(form) || form.compareAt(point, least) < 0)) return x
  const others = new Map<string, Affine>()
  for (const forms of [x, y])
    for (const form of forms)
      if (form.key !== first.key && form.compareAt(point, least) >= 0) others.set(form.key, form)
  const kept = [first]
  let [last, count] = [first, 1]
  for (const form of [...others.values()].sort((p, q) => q.compareAt(point, p))) {
    if (form.compareAt(point, last) !== 0) [last, count] = [form, form.compareAt(point, first) === 0 ? 1 : 0]
    count++
    if (count <= MOST_OF_A_VALUE) kept.push(form)
  }
  return kept.slice(0, MOST_TERMS)
}
