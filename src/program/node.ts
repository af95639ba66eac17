/**
 * The tensor program: an immutable expression graph over matrices (a vector is n×1, a scalar 1×1).
 *
 * A program says what is computed, never how large or how: `derive` reads the same nodes in exponents and `train` reads
 * them in numbers. Only what both need is here.
 */
import type { Affine } from "../exponent/affine.js"
import { InputError } from "../inputError.js"

/** An index space: one of the width n, one of an input width n^d of its own, the rank, the samples, or a single index. */
export type Dimension = "n" | "nIn" | "r" | "samples" | "one"

/** What a leaf is: a frozen tensor, a trained factor, or the optimiser's state of one (starting at zero). */
export type Role = "frozen" | "trained" | "state"

/** A scalar factor constant · n^power, times 1/(1 − beta^t) at step t where `biasCorrection` is given. */
export interface Coefficient {
  readonly constant: number
  readonly power: Affine
  readonly biasCorrection?: number
}

/** Adam's ε = constant · n^power; a null power says that it is negligible, whatever its value. */
export interface Epsilon {
  readonly constant: number
  readonly power: Affine | null
}

/** An entrywise nonlinearity between layers. */
export type Activation = "relu" | "tanh"

type Operation =
  | { readonly op: "leaf"; readonly name: string; readonly role: Role }
  | { readonly op: "one" }
  | { readonly op: "zero" }
  | { readonly op: "matmul"; readonly left: Node; readonly right: Node }
  | { readonly op: "transpose"; readonly of: Node }
  | { readonly op: "add"; readonly left: Node; readonly right: Node }
  | { readonly op: "multiply"; readonly left: Node; readonly right: Node }
  | { readonly op: "scale"; readonly of: Node; readonly by: Coefficient }
  | { readonly op: "sign"; readonly of: Node }
  | { readonly op: "activate"; readonly of: Node; readonly by: Activation }
  | { readonly op: "slope"; readonly of: Node; readonly at: Node; readonly by: Activation }
  | { readonly op: "activationChange"; readonly of: Node; readonly at: Node; readonly by: Activation }
  | { readonly op: "rootRatio"; readonly of: Node; readonly over: Node; readonly epsilon: Epsilon }
  | { readonly op: "orthogonalise"; readonly of: Node }
  | { readonly op: "norm"; readonly of: readonly Node[] }
  | { readonly op: "clip"; readonly of: Node; readonly norm: Node; readonly bound: Coefficient }

/** One tensor of the program: an operation and the shape [rows, columns] of its result. */
export class Node {
  readonly operation: Operation
  readonly shape: readonly [Dimension, Dimension]

  private constructor(operation: Operation, shape: readonly [Dimension, Dimension]) {
    this.operation = operation
    this.shape = shape
  }

  static leaf(name: string, role: Role, shape: readonly [Dimension, Dimension]): Node {
    return new Node({ op: "leaf", name, role }, shape)
  }

  /** The scalar 1, from which reverse mode starts. */
  static readonly ONE = new Node({ op: "one" }, ["one", "one"])

  /** The zero tensor. */
  static zero(shape: readonly [Dimension, Dimension]): Node {
    return new Node({ op: "zero" }, shape)
  }

  /** The joint Frobenius norm of some tensors, a scalar: the root of the sum of all their squared entries. */
  static norm(of: readonly Node[]): Node {
    return new Node({ op: "norm", of }, ["one", "one"])
  }

  /** The matrix product; @throws InputError unless this tensor's columns are the other's rows. */
  times(other: Node): Node {
    if (this.shape[1] !== other.shape[0])
      throw shapeError("times", this, other, "columns of the left = rows of the right")
    if (this === Node.ONE) return other
    if (other === Node.ONE) return this
    return new Node({ op: "matmul", left: this, right: other }, [this.shape[0], other.shape[1]])
  }

  transpose(): Node {
    if (this === Node.ONE) return this
    if (this.operation.op === "transpose") return this.operation.of
    return new Node({ op: "transpose", of: this }, [this.shape[1], this.shape[0]])
  }

  plus(other: Node): Node {
    this.requireSameShape("plus", other)
    return new Node({ op: "add", left: this, right: other }, this.shape)
  }

  /** The entrywise product. */
  multiply(other: Node): Node {
    this.requireSameShape("multiply", other)
    return new Node({ op: "multiply", left: this, right: other }, this.shape)
  }

  scale(by: Coefficient): Node {
    return new Node({ op: "scale", of: this, by }, this.shape)
  }

  /** The entrywise sign, 0 at 0. */
  sign(): Node {
    return new Node({ op: "sign", of: this }, this.shape)
  }

  /** φ(this), entry by entry. */
  activate(by: Activation): Node {
    return new Node({ op: "activate", of: this, by }, this.shape)
  }

  /** This tensor times φ′(at), entry by entry: the derivative of φ(at) applied to it. */
  slope(at: Node, by: Activation): Node {
    this.requireSameShape("slope", at)
    return new Node({ op: "slope", of: this, at, by }, this.shape)
  }

  /** φ(at + this) − φ(at) without cancellation: what a change of a pre-activation does behind it. */
  activationChange(at: Node, by: Activation): Node {
    this.requireSameShape("activationChange", at)
    return new Node({ op: "activationChange", of: this, at, by }, this.shape)
  }

  /** The entrywise quotient this / (√over + epsilon): Adam's direction from its two moments. */
  rootRatio(over: Node, epsilon: Epsilon): Node {
    this.requireSameShape("rootRatio", over)
    return new Node({ op: "rootRatio", of: this, over, epsilon }, this.shape)
  }

  /** U Vᵀ for a matrix with singular value decomposition U S Vᵀ: Muon's direction, exactly. */
  orthogonalise(): Node {
    return new Node({ op: "orthogonalise", of: this }, this.shape)
  }

  /** This tensor times min(1, bound / norm), itself where the norm is zero; @throws InputError for a norm that is no scalar. */
  clip(norm: Node, bound: Coefficient): Node {
    if (norm.shape.join() !== "one,one") throw shapeError("clip", this, norm, "a tensor and a norm one×one")
    return new Node({ op: "clip", of: this, norm, bound }, this.shape)
  }

  private requireSameShape(operation: string, other: Node): void {
    if (this.shape.join() !== other.shape.join()) throw shapeError(operation, this, other, "two tensors of one shape")
  }
}

function shapeError(operation: string, left: Node, right: Node, allowed: string): InputError {
  const given = `${left.shape.join("×")} and ${right.shape.join("×")}`
  return new InputError({ field: `program.${operation}`, given, allowed, example: "matrix r×n times vector n×one" })
}

/** The nodes that an operation reads. */
export function operands({ operation }: Node): readonly Node[] {
  switch (operation.op) {
    case "leaf":
    case "one":
    case "zero":
      return []
    case "matmul":
    case "add":
    case "multiply":
      return [operation.left, operation.right]
    case "slope":
    case "activationChange":
      return [operation.of, operation.at]
    case "rootRatio":
      return [operation.of, operation.over]
    case "norm":
      return operation.of
    case "clip":
      return [operation.of, operation.norm]
    default:
      return [operation.of]
  }
}

/** All nodes that the given ones depend on, themselves included, each after its operands. */
export function inOrder(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>()
  const visit = (node: Node): void => {
    if (seen.has(node)) return
    operands(node).forEach(visit)
    seen.add(node)
  }
  roots.forEach(visit)
  return [...seen]
}
