import type { TopLevelSpec } from "vega-lite"
import { exponentAxis } from "./exponentAxis.js"

/** A quantity at one site of a model: its derived exponent and the measured one with its interval. */
export interface SiteExponent {
  /** The model, a column of panels. */
  readonly model: string
  readonly scheme: string
  readonly quantity: string
  readonly site: string
  readonly derived: number
  readonly measured: number
  readonly low: number
  readonly high: number
}

/** Pixels from site to site. */
const PITCH = 46

/** Exponents site by site: bars where derived, points with intervals where measured; a row a quantity, a column a model. */
export function sitesFigure(points: readonly SiteExponent[]): TopLevelSpec {
  const distinct = (of: (point: SiteExponent) => string) => [...new Set(points.map(of))]
  const [schemes, quantities, models] = [
    distinct(({ scheme }) => scheme),
    distinct(({ quantity }) => quantity),
    distinct(({ model }) => model),
  ]
  const told = { field: "scheme", scale: { domain: schemes }, legend: null }
  const cell = (quantity: string, model: string) => {
    const here = points.filter((point) => point.quantity === quantity && point.model === model)
    const sites = [...new Set(points.filter((point) => point.model === model).map(({ site }) => site))]
    const isLast = quantity === quantities.at(-1)
    const x = {
      field: "site",
      type: "nominal",
      scale: { domain: sites },
      axis: { title: isLast ? "site" : null, labelAngle: -30, labels: isLast, ticks: isLast },
    }
    const xOffset = { field: "scheme", scale: { domain: schemes } }
    const y = exponentAxis(points, quantity, model === models[0])
    return {
      ...(quantity === quantities[0] ? { title: { text: model, anchor: "middle", frame: "group" } } : {}),
      width: PITCH * sites.length,
      height: 110,
      layer: [
        {
          data: { values: here },
          mark: { type: "tick", orient: "horizontal", thickness: 2.5, color: "#888", width: 16 },
          encoding: { x, xOffset, y: y("derived") },
        },
        {
          data: { values: here },
          mark: { type: "rule", strokeWidth: 1.8, clip: true },
          encoding: { x, xOffset, y: y("low"), y2: { field: "high" }, color: told },
        },
        {
          data: { values: here },
          mark: { type: "point", size: 45, filled: true, opacity: 1 },
          encoding: { x, xOffset, y: y("measured"), color: told, shape: told },
        },
        {
          data: { values: here.filter(({ site }) => site === sites[0] && quantity === quantities[0]) },
          mark: { type: "text", dy: -9, align: "left", fontSize: 11 },
          encoding: { x, xOffset, y: y("high"), text: { field: "scheme" }, color: told },
        },
      ],
    }
  }
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    vconcat: quantities.map((quantity) => ({
      bounds: "flush",
      spacing: 55,
      hconcat: models.map((model) => cell(quantity, model)),
    })),
  } as unknown as TopLevelSpec
}
