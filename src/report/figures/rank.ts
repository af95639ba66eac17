import type { TopLevelSpec } from "vega-lite"

/** A derived bound on c at one rank exponent. */
export interface RankBound {
  readonly panel: string
  readonly multiplier: string
  readonly rho: number
  readonly c: number
  /** Through which step the bound holds. */
  readonly steps: string
}

/** A measured threshold with its interval. */
export interface RankThreshold {
  readonly panel: string
  readonly multiplier: string
  readonly rho: number
  readonly c: number
  readonly low: number
  readonly high: number
}

/**
 * The largest stable exponent c of the rate against the rank's exponent ρ: derived lines, named at their ends, and
 * measured thresholds with intervals; multipliers are told apart by dashes and shapes as well as by colour.
 */
export function rankFigure(bounds: readonly RankBound[], thresholds: readonly RankThreshold[]): TopLevelSpec {
  const panels = [...new Set(bounds.map(({ panel }) => panel))]
  const multipliers = [...new Set(bounds.map(({ multiplier }) => multiplier))]
  const last = Math.max(...bounds.map(({ rho }) => rho))
  const all = [...bounds.map(({ c }) => c), ...thresholds.map(({ c }) => c)]
  const domain = [Math.min(...all) - 0.1, Math.max(...all) + 0.1]
  const x = (offset = 0) => ({
    field: offset === 0 ? "rho" : "shifted",
    type: "quantitative",
    scale: { domain: [-0.03, last + 0.2], nice: false },
    axis: { title: "ρ, exponent of the rank", values: [0, 0.25, 0.5], format: ".2~f" },
  })
  const y = (field: string) => ({
    field,
    type: "quantitative",
    scale: { domain, nice: false, zero: false },
    axis: { title: "c, exponent of the rate", tickCount: 6 },
  })
  const told = { field: "multiplier", scale: { domain: multipliers }, legend: null }
  const moved = thresholds.map((threshold) => ({
    ...threshold,
    // Points of equal bounds would hide each other.
    shifted: threshold.rho + 0.012 * (multipliers.indexOf(threshold.multiplier) - 1),
  }))
  const panel = (name: string) => {
    const lines = bounds.filter((bound) => bound.panel === name)
    const points = moved.filter((point) => point.panel === name)
    return {
      title: name,
      width: 250,
      height: 240,
      layer: [
        {
          data: { values: lines },
          mark: { type: "line", strokeWidth: 1.6 },
          encoding: { x: x(), y: y("c"), color: told, strokeDash: told, detail: { field: "steps" } },
        },
        {
          data: { values: labels(lines, last, (domain[1]! - domain[0]!) / 16) },
          mark: { type: "text", align: "left", dx: 11, fontSize: 11 },
          encoding: { x: x(), y: y("at"), text: { field: "text" }, color: told },
        },
        {
          data: { values: points },
          mark: { type: "rule", strokeWidth: 1.6, clip: true },
          encoding: { x: x(1), y: y("low"), y2: { field: "high" }, color: told },
        },
        {
          data: { values: points },
          mark: { type: "point", size: 55, filled: true, opacity: 1 },
          encoding: { x: x(1), y: y("c"), color: told, shape: told },
        },
      ],
    }
  }
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    concat: panels.map(panel),
    columns: 2,
  } as unknown as TopLevelSpec
}

/** The names at the lines' ends, one for lines that end together, pushed apart where they would overlap. */
function labels(lines: readonly RankBound[], last: number, apart: number) {
  const ends = lines.filter(({ rho }) => rho === last)
  const places = [...new Set(ends.map(({ c }) => c))].sort((p, q) => q - p)
  let above = Number.POSITIVE_INFINITY
  return places.map((c) => {
    const here = ends.filter((end) => end.c === c)
    above = Math.min(c, above - apart)
    const names = [
      ...new Set(here.map(({ multiplier, steps }) => (steps === "" ? multiplier : `${multiplier}, ${steps}`))),
    ]
    return { rho: last, at: above, text: names.join("; "), multiplier: here[0]!.multiplier }
  })
}
