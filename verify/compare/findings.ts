import type { SectionFinding } from "../../src/report/section.js"
import type { MeasuredClaim } from "./claim.js"
import { decidingBudget, intervalOf } from "./deciding.js"

/**
 * The claims of one subject as findings: those that agree together, the undecided together, each contradiction alone.
 */
export function claimFindings(subject: string, claims: readonly MeasuredClaim[]): SectionFinding[] {
  const of = (verdict: MeasuredClaim["measured"]["verdict"]) =>
    claims.filter(({ measured }) => measured.verdict === verdict)
  const [agreeing, open] = [of("agrees"), of("inconclusive")]
  const number = (k: number) => `${k} of ${claims.length} exponents`
  const findings: SectionFinding[] = []
  if (agreeing.length > 0)
    findings.push({ claim: `${subject}: ${number(agreeing.length)} as derived`, verdict: "agrees", why: null })
  for (const claim of of("contradicts"))
    findings.push({
      claim: `${subject}: ${described(claim)}${claim.cause === null ? `; ${claim.measured.why}` : ""}`,
      verdict: "contradicts",
      why: claim.cause,
    })
  if (open.length > 0)
    findings.push({
      claim: `${subject}: ${number(open.length)}`,
      verdict: "inconclusive",
      why: decidingBudget(open),
      items: open.map(named),
    })
  return findings
}

function named({ quantity, step, derived }: MeasuredClaim): string {
  return `${quantity} at t = ${step} (${derived.kind === "zero" ? "zero" : `n^(${derived.exponent.toFraction()})`})`
}

function described(claim: MeasuredClaim): string {
  const interval = intervalOf(claim)
  const measured =
    interval === null ? "zero or not finite" : `in [${interval.low.toFixed(2)}, ${interval.high.toFixed(2)}]`
  return `${named(claim)}, measured ${measured}`
}
