import type { ClaimsJson } from "../../src/report/claims.js"
import type { ExponentPoint } from "../../src/report/figures/exponents.js"
import type { ReportTable } from "../../src/report/table.js"
import { optimiserText } from "../../src/scheme/definition.js"
import { claimName, claimsOf, isRefuted, type MeasuredClaim } from "./claim.js"
import { decidingBudget } from "./deciding.js"
import { settingName } from "./setting.js"

/** Claims as the JSON that others rely on. */
export function claimsJson(claims: readonly MeasuredClaim[]): ClaimsJson {
  return { schema: "lora-scaling/verify/1", claims: claims.map(claimJson) }
}

/** Claims as a table: derived, measured, verdict. */
export function claimsTable(claims: readonly MeasuredClaim[]): ReportTable {
  return {
    columns: ["claim", ...SIDES, "verdict"],
    rows: claims.map((claim) => {
      const { cause } = claim
      return [claimName(claim), ...sides(claim), `${claim.measured.verdict}${cause === null ? "" : `: ${cause}`}`]
    }),
  }
}

/** The claims of one setting as a table, where its name is said above. */
export function settingTable(claims: readonly MeasuredClaim[]): ReportTable {
  return {
    columns: ["quantity", "t", ...SIDES, "verdict"],
    rows: claims.map((claim) => [claim.quantity, claim.step, ...sides(claim), claim.measured.verdict]),
  }
}

/** Each claim that is contradicted, with the cause that was seen, or else what speaks against it. */
export function contradictionsTable(claims: readonly MeasuredClaim[]): ReportTable {
  return {
    columns: ["claim", "cause", "seen"],
    rows: claims
      .filter(({ measured }) => measured.verdict === "contradicts")
      .map((claim) => [claimName(claim), claim.cause ?? "none known", claim.measured.why]),
  }
}

/**
 * How many claims have each verdict and what would decide the inconclusive ones, setting by setting; the numbers of all
 * where there are several.
 */
export function verdictsTable(claims: readonly MeasuredClaim[]): ReportTable {
  const counts = (own: readonly MeasuredClaim[]) => {
    const [agree, open, contradict] = (["agrees", "inconclusive", "contradicts"] as const).map((verdict) =>
      own.filter(({ measured }) => measured.verdict === verdict),
    )
    return { open: open!, numbers: [agree, open, contradict, own.filter(isRefuted)].map((all) => all!.length) }
  }
  const settings = [...new Set(claims.map(({ setting }) => setting))]
  return {
    columns: ["setting", "agree", "inconclusive", "contradict", "without a cause", "what decides the rest"],
    rows: [
      ...settings.map((setting) => {
        const { open, numbers } = counts(claimsOf(setting, claims))
        return [settingName(setting), ...numbers, decidingBudget(open)]
      }),
      ...(settings.length > 1 ? [["all", ...counts(claims).numbers, ""]] : []),
    ],
  }
}

const SIDES = ["derived", "next", "plain slope", "exponent", "95 % interval"]

/** What was derived of a claim beside what was measured, as {@link SIDES}. */
function sides(claim: MeasuredClaim): string[] {
  const { derived, next, slope, exponent, interval } = claimJson(claim)
  return [
    derived,
    next ?? "",
    slope === null ? "" : slope.toFixed(3),
    exponent === null ? "-inf" : exponent.toFixed(3),
    interval === null ? "" : `[${interval.map((x) => (x === null ? "inf" : x.toFixed(3))).join(", ")}]`,
  ]
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
