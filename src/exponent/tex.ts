import { Fraction } from "fraction.js"
import type { ConstantNode, MathNode, SymbolNode } from "mathjs"
import mathjs from "mathjs/lib/browser/math.js"

const math = mathjs.create({ number: "Fraction" })

/** The TeX of a text of the grammar (`grammar.ts`), by mathjs. */
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

const isConstant = (node: MathNode): node is ConstantNode => node.type === "ConstantNode"
const isSymbol = (node: MathNode): node is SymbolNode => node.type === "SymbolNode"

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
