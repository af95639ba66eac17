import type { SectionFinding } from "../../src/report/section.js"
import type { MeasuredClaim } from "./claim.js"

/**
 * Whether exponents are as derived, in words: how many are, how many are contradicted and why, how many nobody can
 * tell.
 */
export function exponentsAnswer(claims: readonly MeasuredClaim[]): string {
  const verdicts = claims.map(({ measured: { verdict }, cause }) => ({ verdict, why: cause }))
  return verdictsAnswer("exponents", verdicts)
}

/** The same of findings. */
export function verdictsAnswer(things: string, verdicts: readonly Pick<SectionFinding, "verdict" | "why">[]): string {
  const count = (verdict: SectionFinding["verdict"]) => verdicts.filter((one) => one.verdict === verdict).length
  const [agree, contradicted, open] = [count("agrees"), count("contradicts"), count("inconclusive")]
  const unexplained = verdicts.filter(({ verdict, why }) => verdict === "contradicts" && why === null).length
  const numbers = `${agree} of ${verdicts.length} ${things} are as derived`
  const rest = open === 0 ? "" : ` For ${open} the intervals are too wide to tell.`
  if (agree === 0 && contradicted === 0) return `These runs do not tell.${rest}`
  if (contradicted === 0) return `Yes: ${numbers} and none is contradicted.${rest}`
  if (unexplained === 0) return `Yes, but for ${contradicted} whose cause is named below: ${numbers}.${rest}`
  return `Not everywhere: ${numbers}, ${contradicted} are contradicted, ${unexplained} of them without a known cause.${rest}`
}
