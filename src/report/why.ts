import { type ChainStep, chainOf } from "../derive/chain.js"
import type { Derivation } from "../derive/derive.js"
import type { Link } from "../derive/trace.js"
import {
  type LimitReason,
  type Reason,
  type Source,
  STATEMENTS,
  type StatementName,
  whyQuantity,
  whyStatement,
} from "../derive/why.js"
import { partInWords, ruleInWords } from "../derive/words.js"
import { Condition } from "../exponent/condition.js"
import { formatAffine, formatCondition } from "../exponent/grammar.js"
import type { Constraint } from "../exponent/system.js"
import { plain, unknownName } from "../nearest.js"
import type { Node } from "../program/node.js"
import { type TensorNames, tensorNames } from "../program/tensorNames.js"
import { assumptionTable } from "./assumptionTable.js"
import type { ReportTable } from "./table.js"
import type { WhyJson, WhyReason, WhyStep } from "./whySchema.js"

/**
 * Why a statement's inequalities, or a quantity's exponents, are what they are.
 * @throws InputError for another name.
 */
export function whyJson(derivation: Derivation, of: string): WhyJson {
  const quantities = Object.keys(derivation.scheme.program.quantities)
  // As the table of statements writes it: "stable output".
  const statement = STATEMENTS.find((name) => plain(name) === plain(of))
  if (statement !== undefined) return statementJson(derivation, statement)
  if (!quantities.includes(of)) throw unknownName("--why", of, [...STATEMENTS, ...quantities], "--why stable")
  const write = writer(derivation)
  const reasons = whyQuantity(derivation, of).map((reason) => limitJson(of, reason, write))
  return { of, holds: "in the limit", reasons }
}

function statementJson(derivation: Derivation, statement: StatementName): WhyJson {
  const write = writer(derivation)
  const pieces = whyStatement(derivation, statement)
  const holds = Condition.any(pieces.map((piece) => piece.map(({ constraint }) => constraint)))
  const reasons = pieces.flatMap((piece) => {
    const where = text(...piece.map(({ constraint }) => constraint))
    return piece.map((reason) => reasonJson(reason, where, write))
  })
  return { of: statement, holds: formatCondition(holds), reasons }
}

function reasonJson({ constraint, source, form, using, chain }: Reason, where: string, write: Write): WhyReason {
  const asked = `${formatAffine(form)} ${constraint.relation} 0`
  const steps = chain === null ? [] : write(chain, "quantity" in source ? source.quantity : null)
  return {
    claim: text(constraint),
    because: sourceText(source, asked, steps.at(-1)?.tensor ?? ""),
    where,
    form: formatAffine(form),
    using: using.map((equality) => text(equality)),
    chain: steps,
  }
}

function sourceText(source: Source, asked: string, tensor: string): string {
  switch (source.kind) {
    case "size":
      return `${source.quantity} at t = ${source.t} asks ${asked}`
    case "growth":
      return `${source.quantity} must not go on growing: ${asked}`
    case "wall":
      return `another term of ${tensor} leads beyond, at t = ${source.t}: ${asked}`
    case "domain":
      return `it is assumed of the symbols: ${asked}`
    case "unknown":
      return "it follows from several of the others"
  }
}

function limitJson(quantity: string, { where, form, t, chain }: LimitReason, write: Write): WhyReason {
  return {
    claim: `${quantity} has the exponent ${formatAffine(form)}`,
    because: `it is so from t = ${t} on`,
    where: formatCondition(where),
    form: formatAffine(form),
    using: [],
    chain: chain === null ? [] : write(chain, quantity),
  }
}

type Write = (chain: Link, quantity: string | null) => WhyStep[]

/** Writes chains with the names of a scheme's tensors. */
function writer({ scheme: { program } }: Derivation): Write {
  const names = tensorNames(program, new Map())
  const trained = [...program.next].filter(([leaf]) => leaf.is("leaf") && leaf.attributes.role === "trained")
  const named = new Set(trained.map(([, next]) => next))
  const gradients = new Set(program.gradients.flatMap((tensors) => Object.values(tensors)))
  return (chain, quantity) => {
    const steps = chainOf(chain, (node) => named.has(node))
    return steps.map((step, i) => {
      const gradient = step.isScaleFree ? nearestOf(gradients, step.link.node) : null
      const formula = gradient === null ? "" : names.formula(gradient)
      const of = gradient === null || formula.length > LONGEST ? "" : `; ${names.name(gradient)} = ${formula}`
      const written = stepJson(step, names, of)
      return i === steps.length - 1 && quantity !== null ? { ...written, tensor: quantity } : written
    })
  }
}

/** A formula of more letters explains nothing to anybody. */
const LONGEST = 60

/** The node of a set that the fewest operations lie above. */
function nearestOf(nodes: ReadonlySet<Node | null>, root: Node): Node | null {
  const queue = [root]
  for (const node of queue) {
    if (nodes.has(node)) return node
    for (const operand of node.operands) if (!queue.includes(operand)) queue.push(operand)
  }
  return null
}

function stepJson({ link, terms, added, assumptions }: ChainStep, { name, formula }: TensorNames, of: string): WhyStep {
  const { node, t } = link
  return {
    tensor: name(node),
    formula: formula(node),
    t: node.is("leaf") ? t - 1 : t,
    part: partInWords(link),
    rule: `${ruleInWords(link)}${of}`,
    terms: terms.map(({ step, times }) => ({ step, times: times.toFraction() })),
    added: formatAffine(added),
    exponent: formatAffine(link.form),
    assumptions: [...assumptions],
  }
}

function text(...constraints: readonly Constraint[]): string {
  return formatCondition(Condition.all(constraints))
}

/** Each reason as a table with its heading, and what all of them assume. */
export function whyTables({ of, holds, reasons }: WhyJson): [string, ReportTable][] {
  const tables = reasons.map(({ claim, because, where, using, chain }): [string, ReportTable] => {
    const by = using.length === 0 ? "" : `, with ${using.join(" and ")}`
    const inside = where === holds || where === claim ? "" : `, where ${where}`
    return [`Why ${of}: ${claim}${inside}, as ${because}${by}`, chainTable(chain)]
  })
  const distinct = new Map(
    tables.map(([title, table]) => [JSON.stringify([title.split(", where")[0], table]), [title, table] as const]),
  )
  const assumed = new Set(reasons.flatMap(({ chain }) => chain.flatMap(({ assumptions }) => assumptions)))
  return [
    ...[...distinct.values()].map(([title, table]): [string, ReportTable] => [title, table]),
    ["Assumptions", assumptionTable([...assumed])],
  ]
}

function chainTable(chain: readonly WhyStep[]): ReportTable {
  return {
    columns: ["t", "tensor", "along", "exponent", "rule"],
    rows: chain.map((step) => [step.t, tensorText(step), step.part, sumText(step, chain), step.rule]),
  }
}

function tensorText({ tensor, formula, terms }: WhyStep): string {
  return tensor === formula || terms.length === 0 ? tensor : `${tensor} = ${formula}`
}

/** How an exponent is made up: "c + (c + 1) = 2 * c + 1". */
function sumText({ terms, added, exponent }: WhyStep, chain: readonly WhyStep[]): string {
  const signed = (text: string) => (text.startsWith("-") && !text.includes(" ") ? ` - ${text.slice(1)}` : ` + ${text}`)
  const parts = terms.map(({ step, times }) => {
    const { exponent: own } = chain[step]!
    if (times === "1") return own.includes(" ") ? ` + (${own})` : signed(own)
    const inside = /[ -]/.test(own) ? `(${own})` : own
    return times === "-1" ? ` - ${inside}` : `${signed(times)} * ${inside}`
  })
  const sum = [...parts, ...(added === "0" && parts.length > 0 ? [] : [signed(added)])]
    .join("")
    .replace(/^ \+ /, "")
    .replace(/^ - /, "-")
  return sum === exponent || sum === `(${exponent})` ? exponent : `${sum} = ${exponent}`
}
