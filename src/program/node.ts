/**
 * The tensor program: an immutable expression graph over matrices (a vector is n×1, a scalar 1×1).
 *
 * A program says what is computed, never how large or how: `derive` reads the same nodes in exponents and `train` reads
 * them in numbers. Only what both need is here. Sums with a zero tensor and products with one are left out as they are
 * written, and what is written twice is one node: a tensor is read and computed once, however many passes ask for it.
 */
import { Affine } from "../exponent/affine.js"
import { grows, isSameShape, type Shape, SINGLE } from "./dimension.js"
import {
  type Activation,
  type Attributes,
  type Coefficient,
  type Epsilon,
  type LeafRole,
  type Mask,
  type MuonFactor,
  type Op,
  ROTARY_BASE,
  type RowPart,
  resultShape,
} from "./operation.js"

/** One tensor of the program: an operation, the tensors that it reads, and the shape of its result. */
export class Node<O extends Op = Op> {
  readonly op: O
  readonly operands: readonly Node[]
  readonly attributes: Attributes[O]
  readonly shape: Shape
  /** What was made with this as the first operand. */
  private readonly results: Node[] = []

  private constructor(op: O, operands: readonly Node[], attributes: Attributes[O], shape: Shape) {
    this.op = op
    this.operands = operands
    this.attributes = attributes
    this.shape = shape
  }

  /**
   * The result of an operation, in its simplest form: the node that was made of the same before, if there is one.
   *
   * @throws InputError for operands whose shapes do not fit.
   */
  static of<O extends Op>(op: O, operands: readonly Node[], attributes: Attributes[O]): Node {
    const shape = resultShape(
      op,
      operands.map((operand) => operand.shape),
      attributes,
    )
    return SIMPLER[op]?.(operands, shape) ?? Node.once(op, operands, attributes, shape)
  }

  private static once<O extends Op>(op: O, operands: readonly Node[], attributes: Attributes[O], shape: Shape): Node {
    const first = operands[0]!
    const isMade = (node: Node) =>
      node.op === op &&
      node.operands.length === operands.length &&
      node.operands.every((operand, i) => isOneTensor(operand, operands[i]!)) &&
      isAlike(node.attributes, attributes)
    const known = first.results.find(isMade)
    if (known !== undefined) return known
    const node = new Node(op, operands, attributes, shape)
    // The scalar 1 is there for ever, and so would be all that is made of it.
    if (first !== Node.ONE) first.results.push(node)
    return node
  }

  static leaf(name: string, role: LeafRole, shape: Shape): Node<"leaf"> {
    return new Node("leaf", [], { name, role }, shape)
  }

  /** The scalar 1, from which reverse mode starts. */
  static readonly ONE: Node = new Node("one", [], {}, [SINGLE, SINGLE])

  /** The zero tensor. */
  static zero(shape: Shape): Node {
    return new Node("zero", [], {}, shape)
  }

  /** The joint Frobenius norm of some tensors, a scalar: the root of the sum of all their squared entries. */
  static norm(of: readonly Node[]): Node {
    return Node.of("norm", of, {})
  }

  is<P extends Op>(op: P): this is Node<P> {
    return (this.op as Op) === op
  }

  get isZero(): boolean {
    return this.op === "zero"
  }

  /** The matrix product; @throws InputError unless this tensor's columns are the other's rows. */
  times(other: Node): Node {
    return Node.of("matmul", [this, other], {})
  }

  transpose(): Node {
    return Node.of("transpose", [this], {})
  }

  plus(other: Node): Node {
    return Node.of("add", [this, other], {})
  }

  /** The entrywise product. */
  multiply(other: Node): Node {
    return Node.of("multiply", [this, other], {})
  }

  scale(by: Coefficient): Node {
    return Node.of("scale", [this], { by })
  }

  /** This tensor, a constant to gradients. */
  detach(): Node {
    return Node.of("detach", [this], {})
  }

  /** The entrywise sign, 0 at 0. */
  sign(): Node {
    return Node.of("sign", [this], {})
  }

  /** φ(this), entry by entry. */
  activate(by: Activation): Node {
    return Node.of("activate", [this], { by })
  }

  /** This tensor times φ′(at), entry by entry: the derivative of φ(at) applied to it. */
  slope(at: Node, by: Activation): Node {
    return Node.of("slope", [this, at], { by })
  }

  /** φ(at + this) − φ(at) without cancellation: what a change of a pre-activation does behind it. */
  activationChange(at: Node, by: Activation): Node {
    return Node.of("activationChange", [this, at], { by })
  }

  /** Σᵢ of the products of entries in each column, a row. */
  columnDots(other: Node): Node {
    return Node.of("columnDots", [this, other], {})
  }

  /** Each column times its entry of a row. */
  scaleColumns(by: Node): Node {
    return Node.of("scaleColumns", [this, by], {})
  }

  /** Every column less its mean. */
  centre(): Node {
    return Node.of("centre", [this], {})
  }

  /** 1 / √(this + ε), entry by entry. */
  inverseRoot(epsilon: number): Node {
    return Node.of("inverseRoot", [this], { epsilon })
  }

  /** eˣ over its sum, in each column. */
  softmax(mask: Mask): Node {
    return Node.of("softmax", [this], mask)
  }

  /** ln Σ eˣ of each column, a row. */
  logSumExp(): Node {
    return Node.of("logSumExp", [this], {})
  }

  /** A part of the rows, in a space of its own. */
  rowPart(part: RowPart): Node {
    return Node.of("rowPart", [this], part)
  }

  /** This tensor as a part of the rows of a longer one, zero elsewhere. */
  placeRows(part: RowPart): Node {
    return Node.of("placeRows", [this], part)
  }

  /** Rotary positions, or their inverse. */
  rotate({ back = false, base = ROTARY_BASE } = {}): Node {
    return Node.of("rotate", [this], { back, base })
  }

  /** The entrywise quotient this / (√over + epsilon): Adam's direction from its two moments. */
  rootRatio(over: Node, epsilon: Epsilon): Node {
    return Node.of("rootRatio", [this, over], { epsilon })
  }

  /**
   * U Vᵀ for a matrix with singular value decomposition U S Vᵀ, times a factor of its shape: Muon's direction, exactly.
   */
  orthogonalise(by: MuonFactor = "none"): Node {
    return Node.of("orthogonalise", [this], { by })
  }

  /**
   * (by + δI)^(−power) times this tensor, of a symmetric matrix of its rows.
   *
   * @param tall where `by` is FᵀF and this tensor may lie anywhere in what F spans, not only where the present gradient
   * does: F, whose parts tell whether these directions are of one size; no number depends on it.
   * @throws InputError for another shape.
   */
  precondition(by: Node, power: 1 | "1/2", damping: Epsilon, tall: Node | null = null): Node {
    return Node.of("precondition", [this, by, ...(tall === null ? [] : [tall])], { power, damping })
  }

  /**
   * This tensor times min(1, bound / norm), itself where the norm is zero;
   * @throws InputError for a norm that is no
   * scalar.
   */
  clip(norm: Node, bound: Coefficient): Node {
    return Node.of("clip", [this, norm], { bound })
  }
}

function isOneTensor(x: Node, y: Node): boolean {
  return x === y || (x.isZero && y.isZero && isSameShape(x.shape, y.shape))
}

/** Whether two attributes say the same. */
function isAlike(x: unknown, y: unknown): boolean {
  if (typeof x !== "object" || typeof y !== "object" || x === null || y === null) return Object.is(x, y)
  if (x instanceof Affine && y instanceof Affine) return x.key === y.key
  const [own, other] = [Object.entries(x), Object.entries(y)]
  return (
    own.length === other.length && own.every(([name, value]) => isAlike(value, (y as Record<string, unknown>)[name]))
  )
}

type Simplification = (operands: readonly Node[], shape: Shape) => Node | null

const ifZero: Simplification = (operands, shape) => (operands.some(({ isZero }) => isZero) ? Node.zero(shape) : null)

/** Of an operation that is zero with its first operand. */
const ifNone: Simplification = ([x], shape) => (x!.isZero ? Node.zero(shape) : null)

/** Simpler forms of results with a zero, the scalar 1 or a transpose among the operands. */
const SIMPLER: Partial<Record<Op, Simplification>> = {
  matmul: (operands, shape) => {
    const [x, y] = operands as [Node, Node]
    return ifZero(operands, shape) ?? (x === Node.ONE ? y : y === Node.ONE ? x : null)
  },
  transpose: ([x], shape) => {
    if (x!.isZero) return Node.zero(shape)
    return x === Node.ONE ? x : x!.is("transpose") ? x.operands[0]! : null
  },
  add: ([x, y]) => (x!.isZero ? y! : y!.isZero ? x! : null),
  multiply: ifZero,
  scale: ifZero,
  detach: ifZero,
  columnDots: ifZero,
  scaleColumns: ifZero,
  centre: ifZero,
  rowPart: ifZero,
  placeRows: ifZero,
  rotate: ifZero,
  precondition: ifNone,
  activationChange: ifNone,
  inverseRootChange: ifNone,
  softmaxSlope: ifNone,
  softmaxChange: ifNone,
  logSumExpChange: ifNone,
}

/** Of each operation what a table says of it, called with a node of that operation. */
export type NodeTable<Arguments extends readonly unknown[], Result> = {
  readonly [O in Op]: (node: Node<O>, ...rest: Arguments) => Result
}

/** What a table says of a node. */
export function lookUp<Arguments extends readonly unknown[], Result>(
  table: NodeTable<Arguments, Result>,
  node: Node,
  ...rest: Arguments
): Result {
  const row = table[node.op] as (node: Node, ...rest: Arguments) => Result
  return row(node, ...rest)
}

/** The name of a leaf; @throws Error for any other node. */
export function leafName(node: Node): string {
  if (!node.is("leaf")) throw new Error(`${node.op} is no leaf`)
  return node.attributes.name
}

/**
 * Whether a leaf is a frozen matrix that no run ever forms: both sides grow with the width, so its products are drawn
 * when they are asked for.
 */
export function isNeverFormed(node: Node): boolean {
  return node.is("leaf") && node.attributes.role === "frozen" && node.shape.every(grows)
}

/**
 * All nodes that the given ones depend on, themselves included, each after its operands.
 *
 * @param known nodes whose values are at hand: neither they nor what only they depend on is listed.
 */
export function inOrder(roots: readonly Node[], known?: { has(node: Node): boolean }): Node[] {
  const seen = new Set<Node>()
  const visit = (node: Node): void => {
    if (seen.has(node) || known?.has(node)) return
    node.operands.forEach(visit)
    seen.add(node)
  }
  roots.forEach(visit)
  return [...seen]
}
