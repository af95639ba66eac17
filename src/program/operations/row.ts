import type { Changed } from "../changed.js"
import type { Node } from "../node.js"
import type { Op } from "../operation.js"

/** What the program language knows of an operation besides its shape. */
export interface Row<O extends Op> {
  /**
   * The gradients in the operands, each null for an operand that the gradient does not reach; null for an operation
   * that belongs to updates.
   */
  readonly gradient: ((node: Node<O>, adjoint: Node) => readonly (Node | null)[]) | null
  /**
   * The result after its operands changed, and its exact change: no difference of two nearly equal numbers. Null for an
   * operation that belongs to gradients or updates.
   */
  readonly change:
    | ((node: Node<O>, operands: readonly Changed[]) => { readonly after: Node; readonly change: Node })
    | null
}
