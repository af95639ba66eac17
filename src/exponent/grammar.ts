/**
 * The text form of exponents and conditions, the same on the command line, in JSON and in claims:
 *
 *     exponent   -1/2   -inf   max(0, c + 1)   2 * cA - cB / 3
 *     condition  cB <= 0 and cA + cB <= -1     c == -1/2 or c < -2     always     never
 *
 * jsep parses; what it accepts beyond this grammar (other functions, members, bits) is refused here.
 */
import { Fraction } from "fraction.js"
import jsep from "jsep"
import { InputError } from "../inputError.js"
import { Affine } from "./affine.js"
import { Condition } from "./condition.js"
import { MaxPlus } from "./maxPlus.js"
import type { Piecewise } from "./piecewise.js"
import type { Constraint } from "./system.js"

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
 * The text of an exponent: `-inf`, an affine form, or `max(...)`, of which some may be `min(...)`; `by region` for
 * null, an exponent that jumps and has no such form.
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

interface ParseContext {
  readonly refuse: () => never
}

function refuse(field: string, given: string, allowed: string, example: string): never {
  throw new InputError({ field, given, allowed, example })
}

/** Characters of the grammar; jsep also reads strings, brackets, semicolons and more. */
const CHARACTERS = /^[\w\s.+\-*/<>=(),]*$/

/** At the end of a text jsep passes over them. */
const EMPTY_PARENTHESES = /\(\s*\)/

function parse(text: string, field: string, allowed: string, example: string): jsep.Expression {
  const refused = () => refuse(field, text, allowed, example)
  if (!CHARACTERS.test(text) || EMPTY_PARENTHESES.test(text)) return refused()
  let tree: jsep.Expression
  try {
    // Not added to jsep as operators, since a program that uses this library may use jsep too.
    tree = jsep(text.replaceAll(/\band\b/g, "&&").replaceAll(/\bor\b/g, "||"))
  } catch {
    return refused()
  }
  // jsep reads "max(0 c)" as two arguments.
  return separators(tree) === text.split(",").length - 1 ? tree : refused()
}

/** How many commas the calls of a tree have between their arguments. */
function separators(node: jsep.Expression): number {
  const inner = isCall(node)
    ? node.arguments
    : isBinary(node)
      ? [node.left, node.right]
      : isUnary(node)
        ? [node.argument]
        : []
  return inner.reduce((sum, one) => sum + separators(one), isCall(node) ? Math.max(0, inner.length - 1) : 0)
}

const isLiteral = (node: jsep.Expression): node is jsep.Literal => node.type === "Literal"
const isName = (node: jsep.Expression): node is jsep.Identifier => node.type === "Identifier"
const isUnary = (node: jsep.Expression): node is jsep.UnaryExpression => node.type === "UnaryExpression"
const isBinary = (node: jsep.Expression): node is jsep.BinaryExpression => node.type === "BinaryExpression"
const isCall = (node: jsep.Expression): node is jsep.CallExpression => node.type === "CallExpression"

function readMax(node: jsep.Expression, reading: ParseContext): MaxPlus {
  if (isCall(node) && isName(node.callee) && node.callee.name === "max" && node.arguments.length > 0)
    return MaxPlus.max(...node.arguments.map((argument) => readMax(argument, reading)))
  if (isUnary(node) && node.operator === "-" && isName(node.argument) && node.argument.name === "inf")
    return MaxPlus.NEGATIVE_INFINITY
  if (isBinary(node) && node.operator === "+") return readMax(node.left, reading).plus(readMax(node.right, reading))
  return MaxPlus.of(readAffine(node, reading))
}

function readAffine(node: jsep.Expression, reading: ParseContext): Affine {
  if (isLiteral(node) && /^(\d+\.?\d*|\.\d+)$/.test(node.raw)) return Affine.constant(new Fraction(node.raw))
  if (isName(node)) {
    if (!/^[a-z]+[A-Za-z0-9]*$/.test(node.name) || ["inf", "always", "never"].includes(node.name)) reading.refuse()
    return Affine.symbol(node.name)
  }
  if (isUnary(node)) {
    const x = readAffine(node.argument, reading)
    return node.operator === "-" ? x.negated : node.operator === "+" ? x : reading.refuse()
  }
  if (!isBinary(node)) return reading.refuse()
  const [x, y] = [readAffine(node.left, reading), readAffine(node.right, reading)]
  if (node.operator === "+") return x.plus(y)
  if (node.operator === "-") return x.minus(y)
  if (node.operator === "*" && x.isConstant) return y.times(x.constant)
  if (node.operator === "*" && y.isConstant) return x.times(y.constant)
  if (node.operator === "/" && y.isConstant && y.constant.n !== 0n) return x.times(y.constant.inverse())
  return reading.refuse()
}

function readCondition(node: jsep.Expression, reading: ParseContext): Condition {
  if (isName(node) && node.name === "always") return Condition.ALWAYS
  if (isName(node) && node.name === "never") return Condition.NEVER
  if (!isBinary(node)) return reading.refuse()
  const { operator, left, right } = node
  if (operator === "&&") return readCondition(left, reading).and(readCondition(right, reading))
  if (operator === "||") return readCondition(left, reading).or(readCondition(right, reading))
  const element = readMax(left, reading)
  const bound = readAffine(right, reading)
  if (operator === "<=") return Condition.atMost(element, bound)
  if (operator === ">") return Condition.atMost(element, bound).not()
  if (operator === "==") return Condition.equal(element, bound)
  const below = Condition.ALWAYS.and(...element.forms.map((form) => Condition.where(form.minus(bound), "<")))
  if (operator === "<") return below
  return operator === ">=" ? below.not() : reading.refuse()
}
