import { openCache } from "../cache.js"
import { InputError } from "../inputError.js"
import { oneOf } from "../optionText.js"
import {
  CHECKERS,
  type Checker,
  type CheckerVerdict,
  isInstalled,
  type JudgeOptions,
  judgeAll,
} from "../prove/checkers.js"
import { parseClaim, requireSymbols } from "../prove/claim.js"
import { type Counterexample, type Decision, decide, Undecided } from "../prove/prover.js"
import { comparedRecurrence, readTheorem, type Theorem, theoremNames } from "../prove/theorem.js"
import { scheme } from "../scheme/scheme.js"
import { type OutputOptions, outputOptions, print, schemeWith, settings } from "./terminal.js"

/** Options of `prove` as typed. */
export interface ProveOptions {
  readonly checker?: readonly string[]
  readonly fresh?: boolean
  readonly scheme?: string
  readonly set: readonly string[]
  readonly free: readonly string[]
  readonly optimiser?: string
  readonly proof?: boolean
  readonly json?: boolean
  readonly format: string
}

/**
 * Every theorem or the named ones before the kernel, or the checkers asked for; or a claim about a scheme, proven or
 * refuted.
 */
export async function proveCommand(given: readonly string[], options: ProveOptions): Promise<number> {
  const output = outputOptions(options)
  const checkers = await chosenCheckers(options.checker)
  if (options.scheme !== undefined) return proveClaim(given.join(" "), options.scheme, options, checkers, output)
  const theorems = chosenTheorems(given)
  if (options.proof) {
    const { proofText } = await import("../prove/proofText.js")
    process.stdout.write(theorems.map((theorem) => proofText(theorem, output.format)).join("\n"))
    return 0
  }
  const judged = (await judgeAll(theorems, checkers, judging(options))).map(({ theorem: { statement }, verdicts }) => {
    const { name, title, source, scheme, claim, assumptions } = statement
    return { name, title, source, scheme, statement: claim, assumptions, verdicts }
  })
  print(output, { schema: "lora-scaling/prove/1", theorems: judged }, [
    [
      `Theorems before ${judgesOf(judged.flatMap(({ verdicts }) => verdicts))}`,
      {
        columns: ["theorem", "scheme", "statement", ...checkers],
        rows: judged.map(({ name, scheme, statement, verdicts }) => [
          name,
          scheme,
          statement,
          ...verdicts.map(({ verdict, milliseconds, remembered }) =>
            remembered ? `${verdict} before` : `${verdict} ${milliseconds.toFixed(0)} ms`,
          ),
        ]),
      },
    ],
  ])
  const refused = judged.flatMap(({ name, verdicts }) =>
    verdicts.filter(({ verdict }) => verdict !== "accepted").map((verdict) => ({ name, ...verdict })),
  )
  for (const { name, checker, verdict, reason } of refused)
    process.stderr.write(`${name}: ${checker}: ${verdict}: ${reason}\n`)
  return refused.length > 0 ? 1 : 0
}

/** A claim as typed: its certificate before the checkers, or the values at which it is false. */
async function proveClaim(
  text: string,
  given: string,
  options: ProveOptions,
  checkers: readonly Checker[],
  output: OutputOptions,
): Promise<number> {
  const definition = await schemeWith(given, options)
  const { name } = definition
  const own = scheme(definition, settings(options.set), options.free)
  const recurrence = comparedRecurrence(own)
  const claim = parseClaim(text)
  requireSymbols(claim, own.symbols)
  for (const { quantity } of claim.atoms)
    if (recurrence.quantities[quantity] === undefined)
      throw new InputError({
        field: "claim",
        given: quantity,
        allowed: Object.keys(recurrence.quantities).join(", "),
        example: '"zB <= 0 for all t iff c <= -1/2"',
      })
  const decision = decisionOf(recurrence, claim)
  if (decision === null) {
    process.stderr.write(
      `error: neither proven nor refuted: ${text}: its state neither repeats nor grows steadily soon enough\n`,
    )
    return 2
  }
  // "for some" is the opposite of "never".
  const isTrue = decision.proven !== claim.existential
  const verdicts: CheckerVerdict[] = []
  if (decision.proven) {
    const statement = {
      name: "claim",
      title: text,
      source: "the command line",
      scheme: name,
      claim: text,
      assumptions: [],
    }
    const theorem: Theorem = { statement, recurrence, claim, certificate: decision.certificate }
    if (options.proof) process.stdout.write((await import("../prove/proofText.js")).proofText(theorem, output.format))
    verdicts.push(...(await judgeAll([theorem], checkers, judging(options)))[0]!.verdicts)
  }
  const counterexample = decision.proven ? null : decision.counterexample
  const because =
    counterexample === null ? (isTrue ? "certificate" : "its negation has a certificate") : where(counterexample)
  print(
    output,
    { schema: "lora-scaling/prove-claim/1", scheme: name, claim: text, proven: isTrue, counterexample, verdicts },
    [
      [
        verdicts.length === 0 ? `${name}: ${text}` : `${name}: ${text}; before ${judgesOf(verdicts)}`,
        {
          columns: ["verdict", "because", ...verdicts.map(({ checker }) => checker)],
          rows: [[isTrue ? "proven" : "refuted", because, ...verdicts.map(({ verdict }) => verdict)]],
        },
      ],
    ],
  )
  return isTrue && verdicts.every(({ verdict }) => verdict === "accepted") ? 0 : 1
}

function decisionOf(...given: Parameters<typeof decide>): Decision | null {
  try {
    return decide(...given)
  } catch (error) {
    if (error instanceof Undecided) return null
    throw error
  }
}

function where({ values, fails }: Counterexample): string {
  const at = Object.entries(values).map(([name, value]) => `${name} = ${value}`)
  const point = at.length === 0 ? "" : `at ${at.join(", ")} `
  if (fails === null) return `${point}it holds for all t`
  const { quantity, relation, bound } = fails.atom
  return `${point}${quantity} ${relation} ${bound} fails ${fails.step === null ? "beyond t = 100000" : `at t = ${fails.step}`}`
}

/** Solvers' verdicts are remembered unless fresh ones are asked for. */
function judging({ fresh }: ProveOptions): JudgeOptions {
  return fresh ? {} : { cache: openCache("verdicts") }
}

/** The checkers that ran, with their versions, and those whose verdicts were remembered. */
function judgesOf(verdicts: readonly CheckerVerdict[]): string {
  const distinct = [...new Map(verdicts.map((verdict) => [verdict.checker, verdict])).values()]
  const texts = distinct.map(({ checker, version }) => {
    const own = verdicts.filter((verdict) => verdict.checker === checker)
    const before = own.filter(({ remembered }) => remembered).length
    const times = before === own.length ? "all" : `${before} of ${own.length}`
    return `${checker} ${version}${before > 0 ? ` (${times} remembered, not asked again; --fresh asks)` : ""}`
  })
  return texts.join(", ")
}

/** By default the kernel alone. */
async function chosenCheckers(given: readonly string[] = ["kernel"]): Promise<Checker[]> {
  if (!given.includes("all"))
    return given.map((name) => oneOf("--checker", name, [...CHECKERS, "all"] as const) as Checker)
  const installed: Checker[] = []
  for (const checker of CHECKERS) if (await isInstalled(checker)) installed.push(checker)
  return installed
}

function chosenTheorems(given: readonly string[]): Theorem[] {
  const names = theoremNames()
  return (given.length === 0 ? names : given).map((name) =>
    readTheorem(name.endsWith(".json") ? name : oneOf("theorem", name, names)),
  )
}
