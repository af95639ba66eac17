import type { Certificate, ConstraintJson } from "../../proofs/kernel.js"
import { Affine } from "../exponent/affine.js"
import { formatAffine } from "../exponent/grammar.js"
import { toTex } from "../exponent/tex.js"
import type { TableFormat } from "../report/table.js"
import { affineOf } from "./recurrence.js"
import { termLines } from "./termLines.js"
import type { Theorem } from "./theorem.js"

/** A proof as numbered steps for people, in Markdown or LaTeX (for any other format, Markdown). */
export function proofText({ statement, recurrence, claim, certificate }: Theorem, format: TableFormat): string {
  const isTex = format === "latex"
  const math = (text: string) => (isTex ? `$${toTex(text)}$` : `\`${text}\``)
  const where = (hypotheses: readonly string[]) =>
    hypotheses.length === 0 ? "For all values of the symbols" : `Where ${hypotheses.map(math).join(" and ")}`
  const cases: string[] = []
  const visit = (tree: Certificate, hypotheses: readonly string[]): void => {
    if ("split" in tree) {
      const form = affineOf(tree.split)
      visit(tree.atMost, [...hypotheses, bound(form, "<=")])
      visit(tree.above, [...hypotheses, bound(form, ">")])
      return
    }
    if ("absurd" in tree) return
    const facts = tree.facts.map(({ form, strict }) => math(bound(affineOf(form), strict ? "<" : "<=")))
    const known = facts.length === 0 ? "" : ` There ${facts.join(", ")}.`
    cases.push(`${where(hypotheses)}: ${verdictText(tree, claim, math)}.${known}`)
  }
  visit(certificate, [])
  const formula = isTex
    ? `\\emph{${statement.claim.replaceAll("<=", "$\\le$").replaceAll(">=", "$\\ge$").replaceAll("==", "$=$")}}`
    : `**${statement.claim}**`
  const lines = termLines(recurrence).map((line) => (isTex ? `\\item \\texttt{${line}}` : `- \`${line}\``))
  const numbered = cases.map((text, i) => (isTex ? `\\item ${text}` : `${i + 1}. ${text}`))
  const list = (kind: string, items: readonly string[]) =>
    isTex ? [`\\begin{${kind}}`, ...items, `\\end{${kind}}`] : ["", ...items, ""]
  return [
    isTex ? `\\paragraph{${statement.name}}` : `### ${statement.name}`,
    "",
    `${statement.title} (${statement.source})`,
    "",
    formula,
    "",
    ...(statement.assumptions.length === 0 ? [] : [`Assumed: ${statement.assumptions.join("; ")}.`, ""]),
    "The recursion, `x` before a step and `x'` after it:".replaceAll("`", isTex ? "" : "`"),
    ...list("itemize", lines),
    "Proof by cases, each by induction on t:",
    ...list("enumerate", numbered),
    "",
  ].join("\n")
}

function verdictText(
  { steps, verdict }: Extract<Certificate, { facts: unknown }>,
  claim: Theorem["claim"],
  math: (text: string) => string,
): string {
  const atom = (i: number) => {
    const { quantity, relation, bound } = claim.atoms[i]!
    return math(`${quantity} ${relation} ${bound}`)
  }
  if ("holds" in verdict)
    return `the state of step ${steps} is that of step ${steps - 1}, so it stays; all parts hold at every step up to it`
  if ("fails" in verdict) return `${atom(verdict.fails)} fails at t = ${verdict.step}`
  const by = Object.entries(verdict.increments).map(
    ([name, form]) => `${name} by ${math(formatAffine(affineOf(form)))}`,
  )
  return `from step ${steps} on the state grows every ${verdict.period === 1 ? "step" : `${verdict.period} steps`} by at least: ${by.join(", ")}; so ${atom(verdict.grows)} fails`
}

/** `form relation 0` with the constant on the right. */
function bound(form: Affine, relation: ConstraintJson["relation"] | ">"): string {
  const left = form.minus(Affine.constant(form.constant))
  return `${formatAffine(left)} ${relation} ${form.constant.neg().toFraction()}`
}
