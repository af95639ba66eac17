/**
 * What is derived and proven, before anything is measured: each scheme's laws, and each theorem before its checkers.
 */
import { openCache } from "../../src/cache.js"
import { formatCondition, formatMin } from "../../src/exponent/grammar.js"
import {
  CHECKERS,
  type Checker,
  type CheckerVerdict,
  isInstalled,
  type JudgedTheorem,
  judgeAll,
} from "../../src/prove/checkers.js"
import { readTheorem, theoremNames } from "../../src/prove/theorem.js"
import type { SectionFinding } from "../../src/report/section.js"
import type { ReportTable } from "../../src/report/table.js"
import { CATALOGUE } from "../../src/scheme/catalogue.js"
import { derivationOf } from "../compare/derivationOf.js"
import type { Effort, Experiment } from "../experiment.js"

/**
 * Milliseconds for one check: on a busy machine thirty seconds were not enough, and a report should not depend on that.
 */
const TIME_LIMIT = 300_000

/** cvc5 takes longer than all else of a quick run together. */
const ASKED: Readonly<Record<Effort["size"], readonly Checker[]>> = { quick: ["kernel", "z3"], full: CHECKERS }

/** The laws of the whole catalogue and the theorems, each before every checker that is installed. */
export const derived: Experiment = {
  id: "derived",
  title: "What is derived and proven",
  tasks: () => theoremNames().length,
  run: async ({ size }, options) => {
    const checkers: Checker[] = []
    for (const checker of ASKED[size]) if (await isInstalled(checker)) checkers.push(checker)
    const missing = CHECKERS.filter((checker) => !checkers.includes(checker))
    // As `prove`: a solver that has judged the same text before is not asked again.
    const how = { ...options, timeLimit: TIME_LIMIT, cache: openCache("verdicts") }
    const judged = await judgeAll(theoremNames().map(readTheorem), checkers, how)
    const laws = derivedTable()
    const theorems = theoremTable(judged)
    return {
      id: "derived",
      title: "What is derived and proven",
      answer: { question: "What follows from the programs, and what is proven?", text: answerText(judged) },
      claim:
        "From each scheme's program, read in exponents, follow its laws for all t and all values of the symbols: when its " +
        "features stay bounded, when it learns, when it is efficient. What is called a theorem here is proven: a certificate " +
        "is judged by checkers that share nothing with the engine.",
      parts: [
        {
          kind: "text",
          text:
            "Rates are η = n^c (n^cA, n^cB), starts n^a0 and n^b0, the multiplier n^s, the rank n^rho. *Stable*: Z_B = O(1) " +
            "for all t; *internally stable*: Z_A = O(1) too; *feature learning*: the change of Z_B is Θ(1); *efficient*: " +
            "both of its leading parts are. These are statements at feature level, not about the loss.",
        },
        { kind: "table", caption: "The catalogue: when a scheme's features behave", table: laws },
        {
          kind: "text",
          text: `A theorem is a file of \`proofs/theorems\` with its statement, source and certificate. It is judged by ${checkers.join(", ")}${missing.length === 0 ? "" : ` (${missing.join(", ")}: not installed here, or left to the full size)`}; \`lora-scaling prove <theorem> --proof\` prints its proof. What a solver said of the same text before is remembered; \`lora-scaling prove --fresh\` asks it again. A Coq development, checked by \`proofs/coq/check\`, proves those at fixed rank once more.`,
        },
        { kind: "table", caption: "Theorems, for all t and all values of the symbols", table: theorems },
      ],
      findings: checkers.map((checker) => acceptance(checker, judged)),
      data: { laws, theorems },
    }
  },
}

function answerText(judged: readonly JudgedTheorem[]): string {
  const bounds = CATALOGUE.slice(0, 2).map((definition) => {
    const { stable } = derivationOf(definition)
    return `${definition.title.split(":")[0]} is stable iff \`${formatCondition(stable)}\``
  })
  const proven = judged.filter(({ verdicts }) => verdicts.every(({ verdict }) => verdict === "accepted")).length
  return `The laws of ${CATALOGUE.length} schemes, among them: ${bounds.join(", ")}. ${proven} of ${judged.length} theorems are accepted by every checker that was asked.`
}

/** What each scheme's program implies at the feature level. */
function derivedTable(): ReportTable {
  return {
    columns: ["scheme", "stable", "internally stable", "feature learning", "efficient", "largest rate"],
    rows: CATALOGUE.map((definition) => {
      const { stable, internallyStable, featureLearning, efficient, largestRate } = derivationOf(definition)
      const conditions = [stable, internallyStable, featureLearning, efficient].map((condition) =>
        condition === null ? "-" : formatCondition(condition),
      )
      return [definition.name, ...conditions, largestRate.features && formatMin(largestRate.features)]
    }),
  }
}

function theoremTable(judged: readonly JudgedTheorem[]): ReportTable {
  const checkers = judged[0]?.verdicts.map(({ checker }) => checker) ?? []
  return {
    columns: ["theorem", "statement", "about", "source", ...checkers],
    rows: judged.map(({ theorem, verdicts }) => {
      const { name, claim, scheme, source } = theorem.statement
      return [name, claim, scheme, source, ...verdicts.map(({ verdict }) => verdict)]
    }),
  }
}

/** A refused certificate contradicts; a checker that does not decide in time leaves the finding open. */
function acceptance(checker: Checker, judged: readonly JudgedTheorem[]): SectionFinding {
  const verdictOf = ({ verdicts }: JudgedTheorem) => verdicts.find((verdict) => verdict.checker === checker)!.verdict
  const names = (kind: CheckerVerdict["verdict"]) =>
    judged.filter((one) => verdictOf(one) === kind).map(({ theorem }) => theorem.statement.name)
  const [refused, unknown] = [names("refused"), names("unknown")]
  const claim = `Each of ${judged.length} theorems is accepted by ${checker}`
  if (refused.length > 0) return { claim: `${claim}: ${refused.join(", ")} is not`, verdict: "contradicts", why: null }
  return unknown.length > 0
    ? { claim, verdict: "inconclusive", why: `undecided in time: ${unknown.join(", ")}; more time decides` }
    : { claim, verdict: "agrees", why: null }
}
