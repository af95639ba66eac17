/**
 * Where an exponent comes from: each operation's rule as an affine map of the exponents that it used.
 *
 * A rule is read once more with a symbol in place of each operand's exponent, every comparison answered as it was. What
 * comes out is Σ times · symbol + added: which parts of which operands the result is made of, and what the rule adds.
 * So a trace is exact, needs no code of its own for an operation, and costs nothing where nobody asks.
 */
import { Fraction } from "fraction.js"
import { Affine } from "../exponent/affine.js"
import { inOrder, leafName, type Node } from "../program/node.js"
import type { Scheme } from "../scheme/scheme.js"
import { Cell } from "./cell.js"
import { Graded } from "./graded.js"
import { type Applications, mapSides, type Side } from "./randomMatrix.js"
import { type Growths, type ReadingContext, readNode } from "./read.js"
import { lead, type Size } from "./size.js"
import type { State } from "./state.js"
import { frozenLeaves, initialState, resolve, rootsOf, unpartedNodes } from "./step.js"

/** An exponent, and what it is made of: form = Σ times · (form of the term) + added. */
export interface Link {
  /** The tensor read at step t; for a leaf, the one before the first step. */
  readonly node: Node
  readonly t: number
  /**
   * A part of the tensor; the remembered direction of a random matrix, as the operation left it; the difference that
   * the operation compared with zero; or how much the tensor grew.
   */
  readonly what: "part" | "memory" | "comparison" | "growth"
  /** The part by its parity, the random matrix by its name; see `Graded.pieces`. */
  readonly key: string
  readonly form: Affine
  readonly terms: readonly Term[]
  readonly added: Affine
  /** What the rule assumed of the parts that it used. */
  readonly assumptions: readonly string[]
}

/** An exponent that another one is made of, and how often it counts. */
export interface Term {
  readonly of: Link
  readonly times: Fraction
}

/** A step as it was read, node by node. */
interface Step {
  readonly state: State
  readonly values: ReadonlyMap<Node, Graded>
  /** What the random matrices were applied to before each node, and after the step. */
  readonly applications: ReadonlyMap<Node, ReadonlyMap<Node, Applications>>
  readonly applicationsAfter: ReadonlyMap<Node, Applications>
  /** The comparisons of each node, as forms that are ≤ 0. */
  readonly comparisons: ReadonlyMap<Node, readonly Affine[]>
}

/** What of a node is traced. */
type Target =
  | { readonly what: "part"; readonly key: string }
  | { readonly what: "memory"; readonly key: string; readonly leaf: Node; readonly side: Side }
  | { readonly what: "comparison"; readonly key: string }

/** A symbol's meaning: an exponent of an operand, or of a remembered direction. */
interface Tag {
  readonly form: Affine
  readonly link: () => Link
}

/** The steps of a scheme in the cell around a point, from which any exponent is traced back to the leaves. */
export class Trace {
  private readonly scheme: Scheme
  private readonly cell: Cell
  private readonly sizeOnly: ReadonlySet<Node>
  private readonly steps: Step[] = []
  private readonly links = new Map<string, Link>()
  private readonly numbers = new Map<Node, number>()
  private readonly fixed = new Map<Node, boolean>()

  constructor(scheme: Scheme, point: ReadonlyMap<string, Fraction>) {
    this.scheme = scheme
    this.cell = new Cell(point)
    resolve(this.cell, scheme)
    this.sizeOnly = unpartedNodes(scheme)
  }

  /** The part of a tensor whose exponent at step t is the form; null if no part has it. */
  of(node: Node, t: number, form: Affine): Link | null {
    const part = this.step(t)
      .values.get(node)!
      .pieces.find(({ size }) => lead(size).key === form.key)
    return part === undefined ? null : this.link(node, t, { what: "part", key: part.key })
  }

  /**
   * The growth of a tensor over the period that ends with step t, if it is the form: the later exponent less the
   * earlier.
   */
  growth(node: Node, t: number, period: number, form: Affine): Link | null {
    const [later, earlier] = [t, t - period].map((at) => {
      const size = this.step(at).values.get(node)!.size(this.cell)
      return size && this.of(node, at, lead(size))
    })
    if (!later || !earlier || later.form.minus(earlier.form).key !== form.key) return null
    const terms = [
      { of: later, times: new Fraction(1) },
      { of: earlier, times: new Fraction(-1) },
    ]
    return { node, t, what: "growth", key: "", form, terms, added: Affine.ZERO, assumptions: [] }
  }

  /** The first operation within the given number of steps that found a form to be ≤ 0 that is asked for. */
  comparison(isAsked: (form: Affine) => boolean, steps: number): Link | null {
    for (let t = 1; t <= steps; t++)
      for (const [node, forms] of this.step(t).comparisons) {
        const form = forms.find(isAsked)
        if (form !== undefined) return this.link(node, t, { what: "comparison", key: form.key })
      }
    return null
  }

  private step(t: number): Step {
    while (this.steps.length < t) this.steps.push(this.read(this.stateAfter(this.steps.at(-1))))
    return this.steps[t - 1]!
  }

  private stateAfter(step: Step | undefined): State {
    if (step === undefined) return initialState(this.scheme, this.cell)
    const { next } = this.scheme.program
    const leaves = [...step.state.leaves].map(([leaf, value]): [Node, Graded] => {
      const after = next.get(leaf)
      return [leaf, after === undefined ? value : step.values.get(after)!]
    })
    return { leaves: new Map(leaves), applications: step.applicationsAfter }
  }

  private read(state: State): Step {
    const { scheme, cell } = this
    const values = new Map([...frozenLeaves(scheme, cell), ...state.leaves])
    const memory = new Map(state.applications)
    const applications = new Map<Node, ReadonlyMap<Node, Applications>>()
    const comparisons = new Map<Node, readonly Affine[]>()
    const growths: Growths = new Map()
    for (const node of inOrder(rootsOf(scheme), values)) {
      applications.set(node, new Map(memory))
      const operands = node.operands.map((operand) => values.get(operand)!)
      const context = { ...this.reading(cell), applications: memory, growths }
      const { found, questions } = cell.asking(() => readNode(node, operands, context))
      values.set(node, found)
      comparisons.set(
        node,
        questions.comparisons.map((form) => form.negated),
      )
    }
    return { state, values, applications, applicationsAfter: memory, comparisons }
  }

  private reading(cell: Cell): Omit<ReadingContext, "applications" | "growths"> {
    const { alignments } = this.scheme
    return { cell, alignments, sizeOnly: this.sizeOnly, assume: () => {} }
  }

  private link(node: Node, t: number, target: Target): Link {
    const { program } = this.scheme
    const next = program.next.get(node)
    if (next !== undefined && t > 1) return this.link(next, t - 1, target)
    if (t > 1 && this.isFixed(node)) return this.link(node, 1, target)
    const id = [this.number(node), t, target.what, target.key, target.what === "memory" ? target.side : ""].join(" ")
    const known = this.links.get(id)
    if (known !== undefined) return known
    const { what, key } = target
    const link = { node, t, what, key, ...(node.is("leaf") ? this.given(node, t, key) : this.made(node, t, target)) }
    this.links.set(id, link)
    return link
  }

  /** Whether no step changes a node: what it depends on is frozen. */
  private isFixed(node: Node): boolean {
    const known = this.fixed.get(node)
    if (known !== undefined) return known
    const isFixed = !this.scheme.program.next.has(node) && node.operands.every((operand) => this.isFixed(operand))
    this.fixed.set(node, isFixed)
    return isFixed
  }

  private number(node: Node): number {
    const known = this.numbers.get(node) ?? this.numbers.size
    this.numbers.set(node, known)
    return known
  }

  /** A leaf that no step changed yet. */
  private given(leaf: Node, t: number, key: string): Made {
    const form = lead(piece(this.step(t).values.get(leaf)!, key)!)
    return { form, terms: [], added: form, assumptions: [] }
  }

  private made(node: Node, t: number, target: Target): Made {
    const full = this.replay(node, t, target, () => true)
    if (full === null || !this.isRead(node, t, target, full.form))
      throw new Error(`${node.op} at step ${t} has no ${target.what} ${target.key}`)
    // Once more with nothing but the parts that count, so that what is assumed is assumed of these.
    const counting = this.replay(node, t, target, (symbol) => full.traced.coefficient(symbol).n !== 0n) ?? full
    let added = full.traced
    const terms: Term[] = []
    for (const [symbol, times] of full.traced.coefficients) {
      const tag = full.tags.get(symbol)
      if (tag === undefined) continue
      terms.push({ of: tag.link(), times })
      added = added.minus(Affine.symbol(symbol).times(times))
    }
    return { form: full.form, terms, added, assumptions: counting.assumptions }
  }

  /** Whether a form is the exponent that was read. */
  private isRead(node: Node, t: number, { what, key }: Target, form: Affine): boolean {
    if (what !== "part") return true
    return lead(piece(this.step(t).values.get(node)!, key)!).key === form.key
  }

  /**
   * A node read with symbols for exponents; null if that does not give the target.
   *
   * @param isKept which symbols' parts take part; of a tensor without any, all do.
   */
  private replay(node: Node, t: number, target: Target, isKept: (symbol: string) => boolean): Replay | null {
    const { values, applications } = this.step(t)
    const tags = new Map<string, Tag>()
    const tagged = (tensor: Graded, link: (key: string) => Link): Graded => {
      const keys = tensor.pieces.map(({ key }) => key)
      const first = tags.size
      const symbols = keys.map((_, i) => `${TAG}${first + i}`)
      let i = 0
      const whole = tensor.map((size) => {
        const [symbol, key] = [symbols[i]!, keys[i]!]
        i++
        tags.set(symbol, { form: lead(size), link: () => link(key) })
        return { ...size, terms: [Affine.symbol(symbol)] }
      })
      const kept = symbols.map(isKept)
      if (!kept.includes(true)) return whole
      const isIn = (_: unknown, k: number) => kept[k]!
      const { parts, randoms } = whole
      return Graded.of(
        this.cell,
        parts.filter(isIn),
        randoms.filter((_, k) => isIn(_, parts.length + k)),
      )
    }
    const operands = node.operands.map((operand) =>
      tagged(values.get(operand)!, (key) => this.link(operand, t, { what: "part", key })),
    )
    const memory = new Map(
      [...applications.get(node)!].map(([leaf, sides]): [Node, Applications] => [
        leaf,
        mapSides(sides, (tensor, side) => tagged(tensor, (key) => this.remembered(node, t, { leaf, side, key }))),
      ]),
    )
    const forms = new Map([...tags].map(([symbol, { form }]) => [symbol, form]))
    const cell = new TaggedCell(this.cell, forms)
    const assumptions = new Set<string>()
    const result = readNode(node, operands, {
      ...this.reading(cell),
      applications: memory,
      growths: new Map(),
      assume: (assumption) => void assumptions.add(assumption),
    })
    const traced = found(target, result, memory, cell)
    return traced && { traced, form: traced.substitute(forms), tags, assumptions: [...assumptions] }
  }

  /** The operation that made a random matrix remember a direction with this exponent, before a node of step t. */
  private remembered(node: Node, t: number, { leaf, side, key }: Omit<Target & { what: "memory" }, "what">): Link {
    const sizeIn = (memory: ReadonlyMap<Node, Applications>) => {
      const size = memory.has(leaf) ? piece(memory.get(leaf)![side], key) : undefined
      return size && lead(size).key
    }
    const wanted = sizeIn(this.step(t).applications.get(node)!)
    for (let then = 1; then <= t; then++) {
      const nodes = [...this.step(then).applications]
      for (const [i, [each]] of nodes.entries())
        if (sizeIn(nodes[i + 1]?.[1] ?? this.step(then).applicationsAfter) === wanted)
          return this.link(each, then, { what: "memory", key, leaf, side })
    }
    throw new Error(`nothing made ${leafName(leaf)} remember ${key}`)
  }
}

type Made = Pick<Link, "form" | "terms" | "added" | "assumptions">

/** What a node's reading with symbols gives. */
interface Replay {
  /** The exponent in the symbols, and in numbers. */
  readonly traced: Affine
  readonly form: Affine
  readonly tags: ReadonlyMap<string, Tag>
  readonly assumptions: readonly string[]
}

/** Begins the name of a symbol that stands for an operand's exponent; no scheme's symbol does. */
const TAG = "#"

/** Answers every comparison of forms with tags as the cell that it stands for, and keeps them as forms that are ≤ 0. */
class TaggedCell extends Cell {
  readonly tagged: Affine[] = []
  private readonly actual: Cell
  private readonly forms: ReadonlyMap<string, Affine>

  constructor(actual: Cell, forms: ReadonlyMap<string, Affine>) {
    super(new Map([...actual.point, ...[...forms].map(([tag, form]) => [tag, form.at(actual.point)] as const)]))
    this.actual = actual
    this.forms = forms
    this.mostBases = actual.mostBases
    this.tellsImagesApart = actual.tellsImagesApart
  }

  override compare(x: Affine, y: Affine): -1 | 0 | 1 {
    const sign = this.actual.compare(x.substitute(this.forms), y.substitute(this.forms))
    if (sign !== 0) this.tagged.push(sign > 0 ? y.minus(x) : x.minus(y))
    return sign
  }

  override isNegative(form: Affine): boolean {
    return this.actual.isNegative(form.substitute(this.forms))
  }

  /** A comparison whose meaning has the given key. */
  asked(key: string): Affine | null {
    return this.tagged.find((form) => form.substitute(this.forms).key === key) ?? null
  }
}

/** The traced exponent in a node's result, or in what it left behind. */
function found(
  target: Target,
  result: Graded,
  memory: ReadonlyMap<Node, Applications>,
  cell: TaggedCell,
): Affine | null {
  if (target.what === "comparison") return cell.asked(target.key)
  const tensor = target.what === "part" ? result : memory.get(target.leaf)?.[target.side]
  const size = tensor && piece(tensor, target.key)
  return size ? lead(size) : null
}

function piece(tensor: Graded, key: string): Size | undefined {
  return tensor.pieces.find((each) => each.key === key)?.size
}
