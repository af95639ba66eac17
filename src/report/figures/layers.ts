import type { TopLevelSpec } from "vega-lite"
import { exponentAxis } from "./exponentAxis.js"

/** A quantity of one layer: its derived exponent and the measured one with its interval. */
export interface LayerExponent {
  /** How many layers are adapted. */
  readonly layers: number
  readonly scheme: string
  readonly quantity: string
  readonly layer: number
  readonly derived: number
  readonly measured: number
  readonly low: number
  readonly high: number
}

/** Pixels between panels, for an axis's numbers. */
const SPACING = 55

/**
 * Exponents layer by layer: bars where derived, points with intervals where measured; a row a quantity, a column a
 * depth.
 */
export function layersFigure(points: readonly LayerExponent[]): TopLevelSpec {
  const schemes = [...new Set(points.map(({ scheme }) => scheme))]
  const quantities = [...new Set(points.map(({ quantity }) => quantity))]
  const depths = [...new Set(points.map(({ layers }) => layers))].sort((p, q) => p - q)
  const told = { field: "scheme", scale: { domain: schemes }, legend: null }
  const moved = points.map((point) => ({ ...point, at: point.layer + 0.36 * (schemes.indexOf(point.scheme) - 0.5) }))
  const cell = (quantity: string, layers: number, isFirst: boolean, isLast: boolean) => {
    const here = moved.filter((point) => point.quantity === quantity && point.layers === layers)
    const x = {
      field: "at",
      type: "quantitative",
      scale: { domain: [0.3, layers + 0.7], nice: false, zero: false },
      axis: {
        title: isLast ? "layer" : null,
        values: Array.from({ length: layers }, (_, i) => i + 1),
        format: "d",
        grid: false,
      },
    }
    const y = exponentAxis(points, quantity, isFirst)
    return {
      ...(quantity === quantities[0]
        ? { title: { text: `${layers} adapted layers`, anchor: "middle", frame: "group" } }
        : {}),
      width: 34 * layers + 60,
      height: 130,
      layer: [
        {
          data: { values: here },
          mark: { type: "tick", orient: "horizontal", thickness: 2.5, bandSize: 22, color: "#888", width: 20 },
          encoding: { x, y: y("derived") },
        },
        {
          data: { values: here },
          mark: { type: "rule", strokeWidth: 1.8, clip: true },
          encoding: { x, y: y("low"), y2: { field: "high" }, color: told },
        },
        {
          data: { values: here },
          mark: { type: "point", size: 60, filled: true, opacity: 1 },
          encoding: { x, y: y("measured"), color: told, shape: told },
        },
        {
          data: { values: here.filter(({ layer }) => layer === 1 && quantity === quantities[0]) },
          mark: { type: "text", dy: -9, align: "center", fontSize: 11 },
          encoding: { x, y: y("high"), text: { field: "scheme" }, color: told },
        },
      ],
    }
  }
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    vconcat: quantities.map((quantity) => ({
      // Panels alone are measured, not their titles and axes, so that rows stand in line.
      bounds: "flush",
      spacing: SPACING,
      hconcat: depths.map((layers, i) => cell(quantity, layers, i === 0, quantity === quantities.at(-1))),
    })),
  } as unknown as TopLevelSpec
}
