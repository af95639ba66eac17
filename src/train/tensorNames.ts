import { formatAffine } from "../exponent/grammar.js"
import { type Coefficient, inOrder, type Node } from "../program/node.js"
import type { Program } from "../program/program.js"

/** What a program's tensors are called. */
export interface TensorNames {
  readonly name: (node: Node) => string
  /** Whether the forward pass computes the same formula, in this step or the next. */
  readonly isForward: (node: Node) => boolean
}

/**
 * Names of a program's tensors for people: the watched quantities' where a tensor is one ("zA"), "A", "gradient of A",
 * "direction of A", "change of A", "A.mean" and so on, "loss", and for any other its formula ("h + zB").
 *
 * The next value of a leaf has the leaf's name, so that a tensor of the forward pass and the quantity read after the step
 * share theirs. Tensors of one name hold the same numbers at the same moment.
 *
 * @param scaled gradients of a scaled loss by the program's own; they take their names.
 */
export function tensorNames(program: Program, scaled: ReadonlyMap<Node, Node>): TensorNames {
  const fixed = new Map<Node, string>()
  program.gradients.forEach((pair, i) => {
    for (const side of ["A", "B"] as const) {
      const node = pair[side]
      if (node === null) continue
      const name = `gradient of ${program.gradients.length === 1 ? side : `${side}${i + 1}`}`
      fixed.set(node, name)
      const other = scaled.get(node)
      if (other !== undefined) fixed.set(other, name)
    }
  })
  for (const [leaf, next] of program.next) {
    const name = leaf.operation.op === "leaf" ? leaf.operation.name : ""
    fixed.set(next, name)
    const change = changeOf(leaf, next)
    if (change === null) continue
    fixed.set(change, `change of ${name}`)
    if (change.operation.op === "scale" && !fixed.has(change.operation.of))
      fixed.set(change.operation.of, `direction of ${name}`)
  }
  const formula = writer(fixed, () => undefined)
  const forward = new Set(inOrder([program.loss]).map(formula))
  const isForward = (node: Node) => forward.has(formula(node))
  const aliases = new Map([[formula(program.loss), "loss"]])
  for (const [name, node] of Object.entries(program.quantities))
    if (!fixed.has(node) && isForward(node)) aliases.set(formula(node), name)
  return { name: writer(fixed, (node) => aliases.get(formula(node))), isForward }
}

/** The change of a leaf where its next value is the leaf plus one. */
export function changeOf(leaf: Node, next: Node): Node | null {
  return next.operation.op === "add" && next.operation.left === leaf ? next.operation.right : null
}

/** Writes formulas, each node's once; fixed names come first, then aliases. */
function writer(fixed: ReadonlyMap<Node, string>, alias: (node: Node) => string | undefined): (node: Node) => string {
  const known = new Map(fixed)
  const write = (node: Node): string => {
    const text = known.get(node) ?? alias(node) ?? formulaOf(node, write)
    known.set(node, text)
    return text
  }
  return write
}

function formulaOf({ operation }: Node, write: (node: Node) => string): string {
  const inside = (node: Node) => (/[ ]/.test(write(node)) ? `(${write(node)})` : write(node))
  switch (operation.op) {
    case "leaf":
      return operation.name
    case "one":
      return "1"
    case "zero":
      return "0"
    case "matmul":
      return `${inside(operation.left)} ${inside(operation.right)}`
    case "transpose":
      return `${inside(operation.of)}ᵀ`
    case "add":
      return `${write(operation.left)} + ${write(operation.right)}`
    case "multiply":
      return `${inside(operation.left)} ∘ ${inside(operation.right)}`
    case "scale": {
      const factor = coefficientText(operation.by)
      return factor === "" ? write(operation.of) : `${factor} ${inside(operation.of)}`
    }
    case "activate":
      return `${operation.by}(${write(operation.of)})`
    case "slope":
      return `${inside(operation.of)} ∘ ${operation.by}'(${write(operation.at)})`
    case "activationChange":
      return `change of ${operation.by}(${write(operation.at)}) by ${inside(operation.of)}`
    case "rootRatio":
      return `${inside(operation.of)} / √(${write(operation.over)})`
    case "norm":
      return `norm of ${operation.of.map(write).join(", ")}`
    case "clip":
      return `clipped ${write(operation.of)}`
    default:
      return `${operation.op}(${write(operation.of)})`
  }
}

/** The factor as text; nothing for 1. */
function coefficientText({ constant, power, biasCorrection }: Coefficient): string {
  const grows = !(power.isConstant && power.constant.equals(0))
  return [
    ...(constant === 1 ? [] : [String(constant)]),
    ...(grows ? [`n^(${formatAffine(power)})`] : []),
    ...(biasCorrection === undefined ? [] : [`/(1 - ${biasCorrection}^t)`]),
  ].join(" ")
}
