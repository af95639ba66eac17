import { Affine } from "../exponent/affine.js"
import { formatAffine } from "../exponent/grammar.js"
import { type Dimension, grows } from "../program/dimension.js"
import { lookUp, type Node } from "../program/node.js"
import type { Op } from "../program/operation.js"
import type { Scheme } from "../scheme/scheme.js"
import { ACTIVATIONS } from "./activation.js"
import { requireFixed, softmax, softmaxChange, softmaxSlope } from "./attention.js"
import type { Cell } from "./cell.js"
import { readsSizes } from "./demand.js"
import { Graded, isZeroForm } from "./graded.js"
import { type Bases, basesText, MANY, meet, Parity } from "./parity.js"
import { precondition } from "./precondition.js"
import { type Applications, applied, basesOf } from "./randomMatrix.js"
import { inverseRoot, inverseRootChange } from "./root.js"
import { larger, lead, product, shifted, sizeOf, weakened } from "./size.js"
import { Underivable } from "./underivable.js"

/** How much sums of two parts grow, with what is assumed of each. */
export type Growths = Map<string, { readonly growth: Affine; readonly assumption: string | null }>

/** Everything that a reading of one step needs besides the nodes. */
export interface ReadingContext {
  readonly cell: Cell
  /** Alignments given by the user, in place of the rules'. */
  readonly alignments: Scheme["alignments"]
  /** The nodes of which no part is asked for, only the size. */
  readonly sizeOnly: ReadonlySet<Node>
  /** Per random matrix, what it was applied to; a reading adds to it. */
  readonly applications: Map<Node, Applications>
  /** How much sums of two parts grow, as found so far; a reading adds to it. */
  readonly growths: Growths
  /** Called with every assumption that a rule makes. */
  readonly assume: (assumption: string) => void
}

/**
 * One node by its operation's rule, given the values of its operands.
 *
 * @throws Underivable for an operation without a rule here.
 */
export function readNode(node: Node, operands: readonly Graded[], reading: ReadingContext): Graded {
  const isSummed = reading.sizeOnly.has(node) && readsSizes(node)
  const read = isSummed ? operands.map((operand) => operand.summed(reading.cell)) : operands
  return lookUp(RULES, node, read, reading)
}

/** A tensor of independent symmetric entries of size n^power: a base of its own along each growing axis. */
export function randomTensor(node: Node, power: Affine, cell: Cell): Graded {
  const [rows, columns] = node.shape.map(grows)
  const size = sizeOf(power)
  if (rows && columns) return Graded.of(cell, [], [{ leaf: node, transposed: false, size }])
  const [image, pull] = basesOf(node)
  return Graded.of(cell, [{ parity: Parity.of(rows ? image : "", columns ? pull : ""), size }])
}

/** A node read, given the values of its operands. */
type Rule<O extends Op> = (node: Node<O>, operands: readonly Graded[], reading: ReadingContext) => Graded

/** Every operation read in exponents. */
const RULES: { readonly [O in Op]: Rule<O> } = {
  leaf: ({ attributes: { name } }) => {
    throw new Error(`leaf ${name} has no value`)
  },
  one: () => Graded.even(sizeOf(Affine.ZERO)),
  zero: () => Graded.ZERO,
  matmul: ({ operands: [left] }, [x, y], reading) => matrixProduct(x!, y!, left!.shape[1], reading),
  transpose: (_, [x]) => x!.transpose(),
  add: (_, [x, y], { cell, assume }) => {
    if (!x!.isZero && !y!.isZero) assume("leading terms of a sum do not cancel")
    return x!.plus(cell, y!)
  },
  multiply: ({ op }, [x, y], { cell }) => entries(x!, op).multiply(cell, entries(y!, op)),
  scale: ({ attributes: { by } }, [x]) => x!.map((size) => shifted(size, by.power)),
  detach: (_, [x]) => x!,
  sign: ({ op }, [x], { cell }) => asSigns(entries(x!, op).normalised(cell).products(cell, "odd")),
  columnDots: ({ op, operands: [x] }, [left, right], reading) =>
    grows(x!.shape[1])
      ? columnSums(entries(left!, op), entries(right!, op), x!.shape[0], reading)
      : matrixProduct(left!.transpose(), right!, x!.shape[0], reading),
  scaleColumns: ({ op }, [x, row], { cell }) => entries(x!, op).multiply(cell, entries(row!, op)),
  centre: ({ op }, [x], { assume }) => {
    assume("a column's entries are not all near their mean, so that centring leaves its size")
    return entries(x!, op)
  },
  inverseRoot: (node, [x], { cell }) => inverseRoot(node, entries(x!, node.op), cell),
  inverseRootChange: (node, [x, at], { cell }) =>
    inverseRootChange(node, entries(x!, node.op), entries(at!, node.op), cell),
  softmax: (node, [x], reading) => softmax(node, x!, reading),
  softmaxSlope: (node, [x, at], reading) => softmaxSlope(node, x!, at!, reading),
  softmaxChange: (node, [x, at], reading) => softmaxChange(node, x!, at!, reading),
  logSumExp: (node, [x], { cell }) => {
    requireFixed(node)
    return Graded.even(sizeOf(Affine.ZERO)).plus(cell, x!)
  },
  logSumExpChange: (node, [x]) => {
    requireFixed(node)
    return x!
  },
  rowPart: ({ op }, [x]) => entries(x!, op),
  placeRows: ({ op }, [x]) => entries(x!, op),
  rotate: ({ op }, [x]) => entries(x!, op),
  rootRatio: ({ attributes: { epsilon } }, [x, y], reading) => rootRatio(x!, y!, epsilon.power, reading),
  orthogonalise: (node, [x], reading) => orthogonalised(node, entries(x!, node.op), reading),
  precondition: (node, [x, by, tall], reading) =>
    precondition(node, entries(x!, node.op), [by!, tall ?? null], reading),
  norm: (node, of, reading) => jointNorm(node, of, reading),
  clip: (node, [x, norm], reading) => clipped(node, entries(x!, node.op), norm!, node.attributes.bound.power, reading),
  activate: ({ attributes: { by } }, [x], { cell }) => ACTIVATIONS[by].value(entries(x!, by), cell),
  slope: ({ op, attributes: { by } }, [x, at], { cell }) =>
    entries(x!, op).multiply(cell, ACTIVATIONS[by].slope(entries(at!, by), cell)),
  activationChange: ({ attributes: { by } }, [change, at], { cell }) =>
    ACTIVATIONS[by].change(entries(change!, by), entries(at!, by), cell),
}

/** A tensor of which only parts are known; a random matrix may only be multiplied, scaled and added. */
function entries(of: Graded, operation: string): Graded {
  if (of.randoms.length > 0)
    throw new Underivable(operation, "its argument contains a random matrix with both sides growing")
  return of
}

/** Marks the leading parts as taking values ±1, whatever the smaller terms of what they are the sign of. */
function asSigns(of: Graded): Graded {
  return of.map((size) => (isZeroForm(lead(size)) ? sizeOf(Affine.ZERO, true) : size))
}

/** Adam's m / (√v + ε): scale-free where √v is above ε, m / ε where it is below. */
function rootRatio(mean: Graded, square: Graded, epsilon: Affine | null, { cell, assume }: ReadingContext): Graded {
  const first = entries(mean, "rootRatio")
  const second = entries(square, "rootRatio").size(cell)
  if (second === null) return Graded.ZERO
  const root = lead(second).times("1/2")
  if (epsilon === null) assume("Adam's ε is negligible beside the gradients' entries")
  else cell.usesGaps = true
  if (epsilon !== null && cell.compare(epsilon, root) > 0) return first.map((size) => shifted(size, epsilon.negated))
  if (first.parts.length > 1) cell.usesGaps = true
  const gaps = first.map((size) => shifted(size, root.negated))
  const small = gaps.map((gap) => (isZeroForm(lead(gap)) ? gap : { ...gap, logarithmic: true }))
  return asSigns(small.products(cell, "odd"))
}

/** U Vᵀ of a matrix U S Vᵀ of rank Θ(1): every singular value becomes 1, and the largest is the Frobenius norm. */
function orthogonalised(node: Node<"orthogonalise">, of: Graded, { cell, assume }: ReadingContext): Graded {
  assume("the orthogonalised gradient has rank Θ(1), its singular values one size")
  const [rows, columns] = [node.shape[0].exponent, node.shape[1].exponent]
  const larger = cell.compare(rows, columns) >= 0 ? rows : columns
  const factors = { none: Affine.ZERO, original: larger.minus(columns), "match-rms-adamw": larger }
  const entry = factors[node.attributes.by].minus(rows).minus(columns).times("1/2")
  return of.normalised(cell).map((size) => shifted(isZeroForm(lead(size)) ? sizeOf(Affine.ZERO) : size, entry))
}

/** Half the exponent of the number of a tensor's entries: what its Frobenius norm exceeds their root mean square by. */
function halfEntries({ shape: [rows, columns] }: Node): Affine {
  return rows.exponent.plus(columns.exponent).times("1/2")
}

/** The largest of the tensors' Frobenius norms: squares are never negative, so that nothing cancels in their sum. */
function jointNorm({ op, operands }: Node, of: readonly Graded[], { cell }: ReadingContext): Graded {
  const sizes = of.flatMap((tensor, i) => {
    const size = entries(tensor, op).size(cell)
    return size === null ? [] : [shifted(size, halfEntries(operands[i]!))]
  })
  return sizes.length === 0 ? Graded.ZERO : Graded.even(sizes.reduce((x, y) => larger(cell, x, y)))
}

/** A tensor times min(1, bound / norm): where the norm is known as a bound only, so is what is left of the tensor. */
function clipped(node: Node, of: Graded, norm: Graded, bound: Affine, { cell, assume }: ReadingContext): Graded {
  cell.usesGaps = true
  const size = norm.size(cell)
  if (size === null) return of
  assume("the gradients' joint norm is that of its largest part, in every seed up to a factor Θ(1)")
  if (cell.compare(lead(size), bound) <= 0) return of
  if (size.relation === "equal") return of.map((part) => shifted(part, bound.minus(lead(size))))
  const most = bound.minus(halfEntries(node))
  return of.map((part) => weakened(cell.compare(lead(part), most) <= 0 ? part : shifted(part, most.minus(lead(part)))))
}

/** The exponent by which a sum of two parts exceeds its terms: the same question comes up over and over. */
function growthOfSum(x: Bases, y: Bases, inner: Dimension, { alignments, growths, assume }: ReadingContext): Affine {
  const question = `${x}|${y}|${inner.name}`
  const found = growths.get(question) ?? derivedGrowth(x, y, inner, alignments)
  growths.set(question, found)
  if (found.assumption !== null) assume(found.assumption)
  return found.growth
}

/** Aligned 1, independent and centred 1/2, or as given, times the exponent of the index. */
function derivedGrowth(
  x: Bases,
  y: Bases,
  inner: Dimension,
  alignments: Scheme["alignments"],
): { readonly growth: Affine; readonly assumption: string | null } {
  const dimension = inner.exponent
  if (isZeroForm(dimension)) return { growth: dimension, assumption: null }
  if (x === MANY || y === MANY)
    return { growth: dimension, assumption: "parts along many random tensors: sums with them at most aligned" }
  const how = meet(x, y)
  const [left, right] = [nameOf(x), nameOf(y)]
  const given = alignments.find(({ between: [p, q] }) => (p === left && q === right) || (p === right && q === left))
  const exponent = given?.exponent ?? Affine.constant(how === "independent" ? "1/2" : 1)
  if (!exponent.isConstant && !dimension.isConstant)
    throw new Underivable("matmul", "an alignment and the size of its index are both symbols")
  const growth = exponent.isConstant ? dimension.times(exponent.constant) : exponent.times(dimension.constant)
  if (given) return { growth, assumption: `${givenAlignment(given.between)} to the power ${formatAffine(exponent)}` }
  const why = {
    aligned: "another along it: aligned, the size of the sum's index to the power 1",
    "at most aligned": `${partName(y)}: at most aligned, to the power 1`,
    independent: `${partName(y)}: independent and centred, to the power 1/2`,
  }
  return { growth, assumption: `sum of ${partName(x)} with ${why[how]}` }
}

/** How a given alignment is listed among the assumptions. */
export function givenAlignment([x, y]: readonly [string, string]): string {
  return `sum of ${x} with ${y}: as given, its index`
}

function nameOf(bases: Bases): string {
  return bases === "" ? "the even part" : basesText(bases)
}

function partName(bases: Bases): string {
  return bases === "" ? nameOf(bases) : `a part along ${nameOf(bases)}`
}

function matrixProduct(left: Graded, right: Graded, inner: Dimension, reading: ReadingContext): Graded {
  const { cell } = reading
  if (left.randoms.length > 0 && right.randoms.length > 0)
    throw new Underivable("matmul", "a product of two random matrices with both sides growing")
  const isWide = left.parts.length * right.parts.length > MOST_PAIRS && reading.alignments.length === 0
  let sum = isWide
    ? wideProduct(left, right, inner, reading)
    : left.times(cell, right, (x, y) => growthOfSum(x, y, inner, reading))
  for (const random of left.randoms) sum = sum.plus(cell, applied(random, right, reading))
  for (const random of right.randoms) {
    const mirrored = { ...random, transposed: !random.transposed }
    sum = sum.plus(cell, applied(mirrored, left.transpose(), reading).transpose())
  }
  return sum
}

/** Sums over the rows of an entrywise product, a number for each of many columns, along which parities add. */
function columnSums(left: Graded, right: Graded, inner: Dimension, reading: ReadingContext): Graded {
  const { cell } = reading
  return Graded.of(
    cell,
    left.parts.flatMap((x) =>
      right.parts.map((y) => {
        const [one, other] = [Parity.of("", x.parity.columns), Parity.of("", y.parity.columns)]
        const size = shifted(product(cell, x.size, y.size), growthOfSum(x.parity.rows, y.parity.rows, inner, reading))
        return { parity: one.plus(other), size }
      }),
    ),
  )
}

/** Products of more pairs of parts are read by the sizes of all parts together; their assumption is one for all. */
const MOST_PAIRS = 64

/**
 * The same product of tensors of many parts: parts of equal parity are aligned, and all others together grow as the
 * product of the whole sizes times the root of the index.
 */
function wideProduct(left: Graded, right: Graded, inner: Dimension, { cell, assume }: ReadingContext): Graded {
  assume(
    "sums of two tensors of many parts: those along the same random tensors aligned, all others independent and centred",
  )
  const [whole, root] = [inner.exponent, inner.exponent.times("1/2")]
  return left.aligned(cell, right, whole).plus(
    cell,
    left
      .rowParts(cell)
      .multiply(cell, right.columnParts(cell))
      .map((size) => shifted(size, root)),
  )
}
