import type { TheoremStatement } from "../../src/prove/theorem.js"
import { readTheorem, theoremNames } from "../../src/prove/theorem.js"
import type { ReportTable } from "../../src/report/table.js"
import type { MeasuredClaim } from "../compare/claim.js"
import { settingName } from "../compare/setting.js"

/**
 * Each theorem beside the measurements of what it speaks of: the verdicts on its quantities at every measured point of
 * its scheme, on either side of its condition.
 */
export function evidenceTable(claims: readonly MeasuredClaim[]): ReportTable {
  const theorems = theoremNames().map(readTheorem)
  return {
    columns: ["theorem", "statement", "quantities", "points", "agree", "contradict", "inconclusive"],
    rows: theorems.flatMap(({ statement, claim: { atoms } }) => {
      const quantities = [...new Set(atoms.map(({ quantity }) => quantity))]
      const own = claims.filter((claim) => isAbout(statement, claim) && quantities.includes(claim.quantity))
      if (own.length === 0) return []
      const points = new Set(own.map(({ setting }) => settingName(setting))).size
      const count = (verdict: string) => own.filter(({ measured }) => measured.verdict === verdict).length
      return [
        [
          statement.name,
          statement.claim,
          quantities.join(", "),
          points,
          ...["agrees", "contradicts", "inconclusive"].map(count),
        ],
      ]
    }),
  }
}

/**
 * Whether a claim's point is one of the theorem's scheme; one that changes the scheme or frees symbols is not measured.
 */
function isAbout({ scheme, change, set = {}, free = [] }: TheoremStatement, claim: MeasuredClaim): boolean {
  const isPlain = change === undefined && free.length === 0
  const { definition, values } = claim.setting
  return isPlain && scheme === definition.name && Object.entries(set).every(([name, value]) => values[name] === value)
}
