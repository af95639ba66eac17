import { Fraction } from "fraction.js"
import { Affine } from "../exponent/affine.js"
import { type Constraint, irredundant, witness } from "../exponent/system.js"
import { type Question, Questions } from "./questions.js"

/** The sign of a difference, and what was asked, of the difference as the form that is ≥ 0. */
interface Answer {
  readonly sign: -1 | 1
  readonly question: Question
}

/**
 * The set of symbol values around a point at which a program reads the same.
 *
 * A program is read at a rational point with every exponent an affine form. Each comparison of two forms is answered
 * at the point and kept as a half-space; inside the intersection of these half-spaces every comparison has the same
 * answer, so the forms read at the point are the exponents in the whole cell.
 */
export class Cell {
  readonly point: ReadonlyMap<string, Fraction>
  /** Whether sizes keep the smaller terms of each max beside the leading one. */
  readonly keepsTerms: boolean
  /** Whether a difference of two sizes was used: without one, every size is a max of sums. */
  usesGaps = false
  /** How many bases the parity of a product of parts may name; parts of more are joined (see `MANY`). */
  mostBases = Number.POSITIVE_INFINITY
  /** Whether what a random matrix makes of its first vectors is told apart from what it makes of later ones. */
  tellsImagesApart = true
  private readonly halfSpaces = new Map<string, Affine>()
  private readonly answers = new Map<Affine, Answer>()
  private readonly signs = new Map<Affine, -1 | 1>()
  /** What the reading at hand asked so far. */
  private current: (Question | Questions)[] = []
  private readonly askedAgain = new Set<Questions>()

  constructor(point: ReadonlyMap<string, Fraction>, keepsTerms = false) {
    this.point = point
    this.keepsTerms = keepsTerms
  }

  /**
   * The sign of x − y in the cell.
   *
   * Where the point lies on the boundary {@link signNear} decides, so that a cell has an inside.
   */
  compare(x: Affine, y: Affine): -1 | 0 | 1 {
    return x.key === y.key ? 0 : this.signOf(x.minus(y))
  }

  /** What a reading finds, and everything that it asks of this cell. */
  asking<T>(read: () => T): { readonly found: T; readonly questions: Questions } {
    const outer = this.current
    this.current = []
    try {
      const found = read()
      const questions = new Questions(this.current)
      outer.push(questions)
      return { found, questions }
    } finally {
      this.current = outer
    }
  }

  /** Asks again what another cell was asked, of forms that have a sign, and answered alike. */
  ask(questions: Questions): void {
    if (questions.distinct.length === 0) return
    this.current.push(questions)
    if (this.askedAgain.has(questions)) return
    this.askedAgain.add(questions)
    for (const { form, of } of questions.distinct) if (of === "cell" && !this.answers.has(form)) this.decide(form)
  }

  private signOf(difference: Affine): -1 | 1 {
    const { sign, question } = this.answers.get(difference) ?? this.decide(difference)
    this.current.push(question)
    return sign
  }

  /** The items by their forms' values at the point, largest first, the earlier of two equal ones first. */
  byValue<T>(items: readonly T[], formOf: (item: T) => Affine): T[] {
    const order = items.map((item, place) => ({ item, place, form: formOf(item) }))
    order.sort((x, y) => y.form.compareAt(this.point, x.form))
    order.slice(1).forEach((next, i) => {
      const isYes = order[i]!.place < next.place
      const [first, second] = isYes ? [order[i]!, next] : [next, order[i]!]
      this.current.push({ form: first.form.minus(second.form), of: "point", isYes })
    })
    return order.map(({ item }) => item)
  }

  /** What the cell would answer; nothing is kept. */
  wouldSay({ form, of }: Omit<Question, "isYes">): boolean {
    return of === "cell" ? !this.isNegative(form) : form.at(this.point).compare(0) >= 0
  }

  /** Whether a form is < 0 in the cell, if the cell lies on one side of it; nothing is kept. */
  isNegative(form: Affine): boolean {
    return form.key !== Affine.ZERO.key && this.near(form) < 0
  }

  private near(form: Affine): -1 | 1 {
    const sign = this.signs.get(form) ?? signNear(form, this.point)
    this.signs.set(form, sign)
    return sign
  }

  private decide(whole: Affine): Answer {
    const forever = perForever(whole)
    const difference = forever.key === Affine.ZERO.key ? whole : forever
    const sign = this.near(difference)
    const positive = sign > 0 ? difference : difference.negated
    const answer: Answer = { sign, question: { form: positive, of: "cell", isYes: true } }
    this.answers.set(whole, answer)
    if (!positive.isConstant) this.halfSpaces.set(positive.key, positive)
    return answer
  }

  /** The cell as constraints. */
  get constraints(): Constraint[] {
    return [...this.halfSpaces.values()].map((form) => ({ form: form.negated, relation: "<=" }))
  }
}

/**
 * The sign of a form that is not 0 at the point moved by an infinitesimal amount along the symbols in the order of
 * their names: in every cell around the point that this motion leads into it is the form's sign.
 */
export function signNear(form: Affine, point: ReadonlyMap<string, Fraction>): -1 | 1 {
  const value = form.at(point)
  const decisive = value.n !== 0n ? value : [...form.coefficients.values()][0]!
  return decisive.s > 0n ? 1 : -1
}

const FOREVER = "∞"

/** The form times T, a number of periods beyond all bounds: T and its products with symbols count as symbols. */
export function timesForever(form: Affine): Affine {
  let result = Affine.symbol(FOREVER).times(form.constant)
  for (const [name, q] of form.coefficients) result = result.plus(Affine.symbol(`${FOREVER}${name}`).times(q))
  return result
}

/** The form by which T is multiplied in a form; zero in one without T. */
export function perForever(form: Affine): Affine {
  let result = Affine.ZERO
  for (const [name, q] of form.coefficients)
    if (name === FOREVER) result = result.plus(Affine.constant(q))
    else if (name.startsWith(FOREVER)) result = result.plus(Affine.symbol(name.slice(FOREVER.length)).times(q))
  return result
}

/** A cell of a subdivision and what was read in it. */
export interface Region<T> {
  /** The closed polyhedron, without redundant constraints. */
  readonly where: readonly Constraint[]
  readonly point: ReadonlyMap<string, Fraction>
  readonly result: T
}

/**
 * The subdivision of a domain into the cells in which a reading is the same.
 *
 * What a cell leaves uncovered is cut along the cell's walls into pieces, and a point of each piece gives the next
 * cell, until nothing with an inside is left: every point of the domain lies in some closed cell.
 *
 * @param read reads at the cell's point, asking the cell for every comparison.
 * @returns null if there are more cells than `most`.
 */
export function explore<T>(
  domain: readonly Constraint[],
  symbols: readonly string[],
  read: (cell: Cell) => T,
  most = Number.POSITIVE_INFINITY,
): Region<T>[] | null {
  const regions: Region<T>[] = []
  const visit = (piece: readonly Constraint[]): void => {
    const inside = regions.length > most ? null : witness(piece)
    if (inside === null) return
    const point = new Map(symbols.map((name) => [name, inside.get(name) ?? new Fraction(0)]))
    let region = regions.find(({ where }) => where.every(({ form }) => form.at(point).compare(0) <= 0))
    if (region === undefined) {
      const cell = new Cell(point)
      const result = read(cell)
      region = { where: irredundant([...domain, ...cell.constraints]), point, result }
      regions.push(region)
    }
    let rest = piece
    for (const { form } of region.where) {
      visit([...rest, { form: form.negated, relation: "<" }])
      rest = [...rest, { form, relation: "<" }]
    }
  }
  visit(domain.map(({ form }) => ({ form, relation: "<" })))
  return regions.length > most ? null : regions
}
