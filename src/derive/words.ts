import { formatAffine } from "../exponent/grammar.js"
import { type Dimension, grows } from "../program/dimension.js"
import { leafName, lookUp, type Node, type NodeTable } from "../program/node.js"
import type { Link } from "./trace.js"

/** What an operation's rule does to exponents, in words. */
export function ruleInWords(link: Link): string {
  if (link.what === "memory") return "the direction that the random matrix saw"
  if (link.what === "growth") return "the exponent less that of one period before"
  if (link.what === "comparison") return "two of its terms compared"
  return lookUp(RULES_IN_WORDS, link.node, link)
}

/** Every operation's rule in words. */
const RULES_IN_WORDS: NodeTable<[Link], string> = {
  leaf: ({ attributes: { role } }) => (role === "frozen" ? "given" : "as it starts"),
  one: () => "the number 1",
  zero: () => "zero",
  matmul: productInWords,
  transpose: () => "transposed",
  add: () => "the larger term of a sum",
  multiply: () => "entry by entry: exponents add",
  scale: () => "times a power of n",
  detach: () => "the same",
  sign: () => "a sign has no scale",
  activate: ({ attributes: { by } }) => `${by} of it`,
  slope: ({ attributes: { by } }) => `through ${by}': exponents add`,
  activationChange: ({ attributes: { by } }) => `the change behind ${by}`,
  columnDots: (node, link) => sumInWords(node.operands[0]!.shape[0], link),
  scaleColumns: () => "columns scaled: exponents add",
  centre: () => "less the mean of its column",
  inverseRoot: () => "one over a root: minus half",
  inverseRootChange: () => "the change of one over a root",
  softmax: () => "weights that sum to 1",
  softmaxSlope: () => "through the softmax",
  softmaxChange: () => "the change of the weights, at most 1",
  logSumExp: () => "the logarithm of a sum of exponentials",
  logSumExpChange: () => "the change of it: that of its argument",
  rowPart: () => "a part of the rows",
  placeRows: () => "as a part of more rows",
  rotate: () => "turned by its position",
  rootRatio: (_, { terms }) =>
    terms.some(({ times }) => times.s < 0n) ? "Adam's quotient has no scale" : "Adam's quotient below ε: divided by it",
  orthogonalise: () => "singular values set to 1: no scale",
  precondition: ({ attributes: { power } }, { terms }) =>
    terms.length > 1 ? `over the matrix to the power ${power}` : "over delta to that power",
  norm: () => "the norm: half the entries' exponent more",
  clip: () => "clipped to the bound",
}

/** A matrix product: what becomes of the sum over its index. */
function productInWords(node: Node<"matmul">, link: Link): string {
  const random = link.terms.find(({ of }) => of.node.is("leaf") && !of.key.includes("|"))
  if (random === undefined) return sumInWords(node.operands[0]!.shape[1], link)
  const isAligned = link.terms.some(({ of }) => of.what === "memory")
  const name = leafName(random.of.node)
  return isAligned
    ? `${name} meets what its transpose made: an aligned sum`
    : `${name} as a random matrix: a sum of independent terms`
}

/** A sum over an index: aligned or independent terms, or of a fixed number. */
function sumInWords(index: Dimension, { added }: Link): string {
  if (!grows(index)) return "exponents add"
  const [whole, half] = [index.exponent, index.exponent.times("1/2")]
  const how = added.key === whole.key ? "aligned" : added.key === half.key ? "independent" : "partly aligned"
  return `a sum over ${index.name} of ${how} terms: ${formatAffine(added)} more`
}

/** The part of a tensor that a link is about, by the random tensors along which it lies. */
export function partInWords({ what, key }: Link): string {
  if (what === "comparison" || what === "growth" || !key.includes("|")) return ""
  const [rows, columns] = key.split("|") as [string, string]
  return [rows, columns].filter((bases) => bases !== "").join(" × ")
}
