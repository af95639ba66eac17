import { formatAffine } from "../exponent/grammar.js"
import { inOrder, leafName, lookUp, type Node, type NodeTable } from "./node.js"
import type { Coefficient } from "./operation.js"
import type { Program } from "./program.js"

/** What a program's tensors are called. */
export interface TensorNames {
  readonly name: (node: Node) => string
  /** The operation that a tensor is the result of, written with the names of its operands. */
  readonly formula: (node: Node) => string
  /** Whether the forward pass computes the same formula, in this step or the next. */
  readonly isForward: (node: Node) => boolean
}

/**
 * Names of a program's tensors for people: the watched quantities' where a tensor is one ("zA"), "A", "gradient of A",
 * "direction of A", "change of A", "A.mean" and so on, "loss", and for any other its formula ("h + zB").
 *
 * The next value of a leaf has the leaf's name, so that a tensor of the forward pass and the quantity read after the
 * step share theirs. Tensors of one name hold the same numbers at the same moment.
 *
 * @param scaled gradients of a scaled loss by the program's own; they take their names.
 */
export function tensorNames(program: Program, scaled: ReadonlyMap<Node, Node>): TensorNames {
  const fixed = new Map<Node, string>()
  program.gradients.forEach((pair, i) => {
    for (const [side, node] of Object.entries(pair)) {
      if (node === null) continue
      const name = `gradient of ${side}${program.model.sites[i]!.tag}`
      fixed.set(node, name)
      const other = scaled.get(node)
      if (other !== undefined) fixed.set(other, name)
    }
  })
  for (const [leaf, next] of program.next) {
    const name = leafName(leaf)
    fixed.set(next, name)
    const change = changeOf(leaf, next)
    if (change === null) continue
    fixed.set(change, `change of ${name}`)
    const [direction] = change.operands
    if (change.is("scale") && !fixed.has(direction!)) fixed.set(direction!, `direction of ${name}`)
  }
  const short = shortener()
  const { name: formula } = writer(fixed, () => undefined, short)
  const forward = new Set(inOrder([program.loss]).map(formula))
  const isForward = (node: Node) => forward.has(formula(node))
  const aliases = new Map([[formula(program.loss), "loss"]])
  for (const [name, node] of Object.entries(program.quantities))
    if (!fixed.has(node) && isForward(node)) aliases.set(formula(node), name)
  return { ...writer(fixed, (node) => aliases.get(formula(node)), short), isForward }
}

/** The change of a leaf where its next value is the leaf plus one. */
export function changeOf(leaf: Node, next: Node): Node | null {
  return next.is("add") && next.operands[0] === leaf ? next.operands[1]! : null
}

/** Formulas of deep models grow without bound: longer ones are told by their operation and a number. */
const LONGEST = 160

/** Equal texts for equal formulas: the formula itself, or where it is too long a name of its own. */
function shortener(): (node: Node, formula: string) => string {
  const known = new Map<string, string>()
  return ({ op }, formula) => {
    if (formula.length <= LONGEST) return formula
    const name = known.get(formula) ?? `tensor ${known.size + 1} (${op})`
    known.set(formula, name)
    return name
  }
}

/** Writes names and formulas, each node's name once; fixed names come first, then aliases. */
function writer(
  fixed: ReadonlyMap<Node, string>,
  alias: (node: Node) => string | undefined,
  short: (node: Node, formula: string) => string,
): Pick<TensorNames, "name" | "formula"> {
  const known = new Map(fixed)
  const inside = (node: Node) => (/[ ]/.test(name(node)) ? `(${name(node)})` : name(node))
  const formula = (node: Node) => short(node, lookUp(FORMULAS, node, name, inside))
  const name = (node: Node): string => {
    const text = known.get(node) ?? alias(node) ?? formula(node)
    known.set(node, text)
    return text
  }
  return { name, formula }
}

/**
 * Every operation as a formula: `write` gives an operand's text, `inside` the same in parentheses where it has spaces.
 */
const FORMULAS: NodeTable<[write: (node: Node) => string, inside: (node: Node) => string], string> = {
  leaf: ({ attributes: { name } }) => name,
  one: () => "1",
  zero: () => "0",
  matmul: ({ operands: [x, y] }, _, inside) => `${inside(x!)} ${inside(y!)}`,
  transpose: ({ operands: [x] }, _, inside) => `${inside(x!)}ᵀ`,
  add: ({ operands: [x, y] }, write) => `${write(x!)} + ${write(y!)}`,
  multiply: ({ operands: [x, y] }, _, inside) => `${inside(x!)} ∘ ${inside(y!)}`,
  scale: ({ operands: [x], attributes: { by } }, write, inside) => {
    const factor = coefficientText(by)
    return factor === "" ? write(x!) : `${factor} ${inside(x!)}`
  },
  detach: ({ operands: [x] }, write) => `constant(${write(x!)})`,
  sign: ({ operands: [x] }, write) => `sign(${write(x!)})`,
  activate: ({ operands: [x], attributes: { by } }, write) => `${by}(${write(x!)})`,
  slope: ({ operands: [x, at], attributes: { by } }, write, inside) => `${inside(x!)} ∘ ${by}'(${write(at!)})`,
  activationChange: ({ operands: [x, at], attributes: { by } }, write, inside) =>
    `change of ${by}(${write(at!)}) by ${inside(x!)}`,
  columnDots: ({ operands: [x, y] }, write) => `dots of columns(${write(x!)}, ${write(y!)})`,
  scaleColumns: ({ operands: [x, row] }, _, inside) => `${inside(x!)} by columns ${inside(row!)}`,
  centre: ({ operands: [x] }, write) => `centred(${write(x!)})`,
  inverseRoot: ({ operands: [x] }, write) => `1 / √(${write(x!)})`,
  inverseRootChange: ({ operands: [x, at] }, write, inside) => `change of 1 / √(${write(at!)}) by ${inside(x!)}`,
  softmax: ({ operands: [x] }, write) => `softmax(${write(x!)})`,
  softmaxSlope: ({ operands: [x, at] }, write, inside) => `${inside(x!)} through softmax'(${write(at!)})`,
  softmaxChange: ({ operands: [x, at] }, write, inside) => `change of softmax(${write(at!)}) by ${inside(x!)}`,
  logSumExp: ({ operands: [x] }, write) => `logsumexp(${write(x!)})`,
  logSumExpChange: ({ operands: [x, at] }, write, inside) => `change of logsumexp(${write(at!)}) by ${inside(x!)}`,
  rowPart: ({ operands: [x], attributes: { index, of } }, _, inside) => `${inside(x!)}[part ${index + 1} of ${of}]`,
  placeRows: ({ operands: [x], attributes: { index, of } }, _, inside) => `${inside(x!)} at part ${index + 1} of ${of}`,
  rotate: ({ operands: [x], attributes: { back } }, write) => `${back ? "rotary back" : "rotary"}(${write(x!)})`,
  rootRatio: ({ operands: [x, y] }, write, inside) => `${inside(x!)} / √(${write(y!)})`,
  orthogonalise: ({ operands: [x], attributes: { by } }, write) =>
    `orthogonalise(${write(x!)})${by === "none" ? "" : ` times ${by}`}`,
  precondition: ({ operands: [x, by], attributes: { power } }, write, inside) =>
    `(${write(by!)})^(-${power}) ${inside(x!)}`,
  norm: ({ operands }, write) => `norm of ${operands.map(write).join(", ")}`,
  clip: ({ operands: [x] }, write) => `clipped ${write(x!)}`,
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
