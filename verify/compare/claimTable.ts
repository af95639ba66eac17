import type { ClaimsJson } from "../../src/report/claims.js"
import type { ExponentPoint } from "../../src/report/figures/exponents.js"
import type { ReportTable } from "../../src/report/table.js"
import { optimiserText } from "../../src/scheme/definition.js"
import { claimName, type MeasuredClaim } from "./claim.js"

/** Claims as the JSON that others rely on. */
export function claimsJson(claims: readonly MeasuredClaim[]): ClaimsJson {
  return { schema: "lora-scaling/verify/1", claims: claims.map(claimJson) }
}

/** Claims as a table: derived, measured, verdict. */
export function claimsTable(claims: readonly MeasuredClaim[]): ReportTable {
  return {
    columns: ["claim", "derived", "next", "plain slope", "exponent", "95 % interval", "verdict"],
    rows: claims
      .map(claimJson)
      .map(({ id, derived, next, slope, exponent, interval, verdict, cause }) => [
        id,
        derived,
        next ?? "",
        slope === null ? "" : slope.toFixed(3),
        exponent === null ? "-inf" : exponent.toFixed(3),
        interval === null ? "" : `[${interval.map((x) => (x === null ? "inf" : x.toFixed(3))).join(", ")}]`,
        cause === null ? verdict : `${verdict}: ${cause}`,
      ]),
  }
}

/** Claims with a finite exponent as points of a figure, quantity by quantity. */
export function exponentPoints(claims: readonly MeasuredClaim[]): ExponentPoint[] {
  const quantities = [...new Set(claims.map(({ quantity }) => quantity))]
  const ordered = quantities.flatMap((quantity) => claims.filter((claim) => claim.quantity === quantity))
  return ordered.flatMap(({ quantity, derived, measured: { plain, corrected, verdict } }): ExponentPoint[] => {
    const fit = corrected ?? plain
    if (derived.kind === "zero" || fit === null) return []
    const { low, high } = fit.interval
    return [{ quantity, derived: derived.exponent.valueOf(), measured: fit.exponent, low, high, verdict }]
  })
}

function claimJson(claim: MeasuredClaim): ClaimsJson["claims"][number] {
  const { setting, level, quantity, step, derived, measured, cause, widths, seeds } = claim
  const { plain, corrected, verdict, why } = measured
  const bounds = ({ low, high }: { low: number; high: number }): [number | null, number | null] => [
    Number.isFinite(low) ? low : null,
    Number.isFinite(high) ? high : null,
  ]
  const fit = corrected ?? plain
  return {
    id: claimName(claim),
    level,
    scheme: setting.definition.name,
    at: setting.values,
    optimiser: optimiserText(setting.definition),
    quantity,
    step,
    cause,
    widths: [...widths],
    seeds,
    derived: derived.kind === "zero" ? "-inf" : derived.exponent.toFraction(),
    next: derived.kind === "zero" ? null : (derived.others[0]?.toFraction() ?? null),
    slope: plain?.exponent ?? null,
    slopeInterval: plain && bounds(plain.interval),
    exponent: fit?.exponent ?? null,
    interval: fit && bounds(fit.interval),
    method: corrected ? "corrected" : plain ? "plain" : "zero",
    verdict,
    why,
  }
}
