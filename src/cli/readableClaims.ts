import type { MeasuredClaim } from "../../verify/compare/claim.js"
import { claimsTable, contradictionsTable, settingTable, verdictsTable } from "../../verify/compare/claimTable.js"
import { settingName } from "../../verify/compare/setting.js"
import { type Headed, type Readable, tablesText } from "./terminal.js"

/**
 * What people read of claims: a row each, then those that are contradicted, and last how many have each verdict; as CSV
 * the rows alone, one table.
 */
export function readableClaims(title: string, claims: readonly MeasuredClaim[]): Readable {
  const settings = new Set(claims.map(({ setting }) => setting))
  const [first] = settings
  return (format) => {
    if (format === "csv") return tablesText([[title, claimsTable(claims)]], format)
    const contradictions = contradictionsTable(claims)
    return tablesText(
      [
        settings.size === 1 ? [`${title}, ${settingName(first!)}`, settingTable(claims)] : [title, claimsTable(claims)],
        ...(contradictions.rows.length > 0 ? [["Contradicted", contradictions] satisfies Headed] : []),
        ["Verdicts", verdictsTable(claims)],
      ],
      format,
    )
  }
}
