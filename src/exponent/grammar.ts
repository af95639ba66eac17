/**
 * The text form of exponents and conditions, the same on the command line, in JSON and in claims:
 *
 *     exponent   -1/2   -inf   max(0, c + 1)   2 * cA - cB / 3
 *     condition  cB <= 0 and cA + cB <= -1     c == -1/2 or c < -2     always     never
 *
 * mathjs parses and prints; what it accepts beyond this grammar (implicit products, functions, powers) is refused here.
 */
import { Fraction } from "fraction.js"
import type { MathNode } from "mathjs"
import mathjs from "mathjs/lib/browser/math.js"
import { InputError } from "../inputError.js"
import { Affine } from "./affine.js"
import { Condition } from "./condition.js"
import { MaxPlus } from "./maxPlus.js"
import type { Piecewise } from "./piecewise.js"
import type { Constraint } from "./system.js"

const math = mathjs.create({ number: "Fraction" })

const EXPONENT_GRAMMAR = "a rational, -inf, a symbol, sums, products with rationals and max(...) of these"
const CONDITION_GRAMMAR = "exponents compared by <=, <, >=, > or ==, joined by and / or; or always, never"

/**
 * The max-plus element that the text denotes.
 *
 * @throws InputError naming `field` for anything outside the grammar.
 */
export function parseExponent(text: string, field = "exponent"): MaxPlus {
  return readMax(parse(text, field, EXPONENT_GRAMMAR, "max(0, c + 1)"), {
    refuse: () => refuse(field, text, EXPONENT_GRAMMAR, "max(0, c + 1)"),
  })
}

/**
 * The affine form that the text denotes: an exponent without max and −∞.
 *
 * @throws InputError naming `field` for anything else.
 */
export function parseAffine(text: string, field = "exponent"): Affine {
  const element = parseExponent(text, field)
  if (element.forms.length !== 1) refuse(field, text, "a finite exponent without max", "c - 1/2")
  return element.forms[0]!
}

/**
 * The set of symbol values that the text denotes.
 *
 * @throws InputError naming `field` for anything outside the grammar.
 */
export function parseCondition(text: string, field = "condition"): Condition {
  return readCondition(parse(text, field, CONDITION_GRAMMAR, "c <= -1/2"), {
    refuse: () => refuse(field, text, CONDITION_GRAMMAR, "cB <= 0 and cA + cB <= -1"),
  })
}

/** The text of an affine form, for instance `2 * cA - cB / 3 + 1/2`. */
export function formatAffine(form: Affine): string {
  const terms = [...form.coefficients].map(([name, q]) => ({ negative: q.s < 0n, text: scaled(q.abs(), name) }))
  if (form.constant.n !== 0n || terms.length === 0)
    terms.push({ negative: form.constant.s < 0n, text: form.constant.abs().toFraction() })
  return terms
    .map(({ negative, text }, i) => (i === 0 ? (negative ? `-${text}` : text) : `${negative ? "-" : "+"} ${text}`))
    .join(" ")
}

/**
 * The text of an exponent: `-inf`, an affine form, or `max(...)`, of which some may be `min(...)`; `by region` for null, an
 * exponent that jumps and has no such form.
 */
export function formatExponent(exponent: MaxPlus | Piecewise | null): string {
  if (exponent === null) return "by region"
  const minima = exponent instanceof MaxPlus ? exponent.forms.map((form) => [form]) : exponent.minima
  return minima.length === 0 ? "-inf" : among("max", minima.map(formatMin))
}

/** The text of the least of some forms. */
export function formatMin(forms: readonly Affine[]): string {
  return among("min", forms.map(formatAffine))
}

function among(name: "max" | "min", texts: readonly string[]): string {
  return texts.length === 1 ? texts[0]! : `${name}(${texts.join(", ")})`
}

/** The text of a condition: constraints joined by `and`, pieces by `or`, constants on the right. */
export function formatCondition(condition: Condition): string {
  if (condition.isNever) return "never"
  const pieces = condition.pieces.map((piece) =>
    [...piece]
      .sort(
        (p, q) => p.form.symbols.length - q.form.symbols.length || (formatConstraint(p) < formatConstraint(q) ? -1 : 1),
      )
      .sort((p, q) => Number(q.relation === "==") - Number(p.relation === "=="))
      .map(formatConstraint),
  )
  if (pieces.some((piece) => piece.length === 0)) return "always"
  return pieces
    .map((piece) => piece.join(" and "))
    .sort()
    .join(" or ")
}

/** The TeX of any text of the grammar, by mathjs. */
export function toTex(text: string): string {
  if (text === "always" || text === "never") return `\\text{${text}}`
  return math
    .parse(text)
    .toTex({ handler: texHandler })
    .replaceAll("==", "=")
    .replaceAll("\\cdot", "\\cdot ")
    .replaceAll("\\wedge", " \\wedge ")
    .replaceAll("\\vee", " \\vee ")
}

function texHandler(node: MathNode): string | undefined {
  if (isConstant(node)) {
    const q = new Fraction(String(node.value))
    return q.d === 1n ? `${q.n}` : `\\frac{${q.n}}{${q.d}}`
  }
  if (isSymbol(node)) {
    if (node.name === "inf") return "\\infty"
    const [, letter, index] = /^([a-z]+?)([A-Z0-9]*)$/.exec(node.name) ?? [undefined, node.name, ""]
    const base = letter === "rho" ? "\\rho" : letter
    return index ? `${base}_{${index}}` : base
  }
  return undefined
}

function scaled(q: Fraction, name: string): string {
  if (q.n === 1n) return q.d === 1n ? name : `${name} / ${q.d}`
  return q.d === 1n ? `${q.n} * ${name}` : `${q.toFraction()} * ${name}`
}

function formatConstraint({ form, relation }: Constraint): string {
  const coefficients = [...form.coefficients.values()]
  const allNegative = coefficients.every((q) => q.s < 0n)
  const flip = allNegative || (coefficients[0]!.s < 0n && (relation === "==" || coefficients.length > 1))
  const scale = coefficients.length === 1 ? coefficients[0]!.abs().inverse() : integerScale(coefficients)
  const left = form.minus(Affine.constant(form.constant)).times(flip ? scale.neg() : scale)
  const right = form.constant.mul(flip ? scale : scale.neg())
  const sign = relation === "==" ? "==" : flip ? relation.replace("<", ">") : relation
  return `${formatAffine(left)} ${sign} ${right.toFraction()}`
}

/** The factor that makes all coefficients integers without a common divisor. */
function integerScale(coefficients: readonly Fraction[]): Fraction {
  const divisor = coefficients.reduce((g, q) => g.gcd(q))
  return divisor.abs().inverse()
}

interface Reading {
  readonly refuse: () => never
}

function refuse(field: string, given: string, allowed: string, example: string): never {
  throw new InputError({ field, given, allowed, example })
}

function parse(text: string, field: string, allowed: string, example: string): MathNode {
  try {
    return math.parse(text)
  } catch {
    return refuse(field, text, allowed, example)
  }
}

type ConstantNode = MathNode & { readonly value: unknown }
type SymbolNode = MathNode & { readonly name: string }
type OperatorNode = MathNode & { readonly op: string; readonly args: readonly MathNode[]; readonly implicit: boolean }
type FunctionNode = MathNode & { readonly fn: { readonly name?: string }; readonly args: readonly MathNode[] }
type ParenthesisNode = MathNode & { readonly content: MathNode }

const isConstant = (node: MathNode): node is ConstantNode => node.type === "ConstantNode"
const isSymbol = (node: MathNode): node is SymbolNode => node.type === "SymbolNode"
const isOperator = (node: MathNode): node is OperatorNode => node.type === "OperatorNode"
const isFunction = (node: MathNode): node is FunctionNode => node.type === "FunctionNode"
const isParenthesis = (node: MathNode): node is ParenthesisNode => node.type === "ParenthesisNode"

function readMax(node: MathNode, reading: Reading): MaxPlus {
  if (isParenthesis(node)) return readMax(node.content, reading)
  if (isFunction(node) && node.fn.name === "max" && node.args.length > 0)
    return MaxPlus.max(...node.args.map((argument) => readMax(argument, reading)))
  if (isOperator(node) && node.op === "-" && node.args.length === 1) {
    const [operand] = node.args
    if (isSymbol(operand!) && operand.name === "inf") return MaxPlus.NEGATIVE_INFINITY
  }
  if (isOperator(node) && node.op === "+" && node.args.length === 2)
    return readMax(node.args[0]!, reading).plus(readMax(node.args[1]!, reading))
  return MaxPlus.of(readAffine(node, reading))
}

function readAffine(node: MathNode, reading: Reading): Affine {
  if (isParenthesis(node)) return readAffine(node.content, reading)
  if (isConstant(node) && node.value instanceof Object) return Affine.constant(new Fraction(String(node.value)))
  if (isSymbol(node)) {
    if (!/^[a-z]+[A-Za-z0-9]*$/.test(node.name) || ["inf", "always", "never"].includes(node.name)) reading.refuse()
    return Affine.symbol(node.name)
  }
  if (!isOperator(node) || node.implicit) return reading.refuse()
  const operands = node.args.map((argument) => readAffine(argument, reading))
  const [x, y] = [operands[0]!, operands[1]]
  if (y === undefined) return node.op === "-" ? x.negated : node.op === "+" ? x : reading.refuse()
  if (node.op === "+") return x.plus(y)
  if (node.op === "-") return x.minus(y)
  if (node.op === "*" && x.isConstant) return y.times(x.constant)
  if (node.op === "*" && y.isConstant) return x.times(y.constant)
  if (node.op === "/" && y.isConstant && y.constant.n !== 0n) return x.times(y.constant.inverse())
  return reading.refuse()
}

function readCondition(node: MathNode, reading: Reading): Condition {
  if (isParenthesis(node)) return readCondition(node.content, reading)
  if (isSymbol(node) && node.name === "always") return Condition.ALWAYS
  if (isSymbol(node) && node.name === "never") return Condition.NEVER
  if (!isOperator(node) || node.args.length !== 2) return reading.refuse()
  const [left, right] = [node.args[0]!, node.args[1]!]
  if (node.op === "and") return readCondition(left, reading).and(readCondition(right, reading))
  if (node.op === "or") return readCondition(left, reading).or(readCondition(right, reading))
  const element = readMax(left, reading)
  const bound = readAffine(right, reading)
  if (node.op === "<=") return Condition.atMost(element, bound)
  if (node.op === ">") return Condition.atMost(element, bound).not()
  if (node.op === "==") return Condition.equal(element, bound)
  const below = Condition.ALWAYS.and(...element.forms.map((form) => Condition.where(form.minus(bound), "<")))
  if (node.op === "<") return below
  return node.op === ">=" ? below.not() : reading.refuse()
}
