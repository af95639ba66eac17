import type { TopLevelSpec } from "vega-lite"
import { linearChannel, logChannel } from "./axes.js"
import { labelLayer, lastPoints, spreadLabels } from "./labels.js"
import { distinct, panels } from "./panels.js"

/** A slope between two widths, less the derived exponent. */
export interface LocalSlopePoint {
  readonly scheme: string
  readonly quantity: string
  /** The narrower of the two. */
  readonly width: number
  readonly deviation: number
  readonly error: number
}

const HEIGHT = 170
/** Beyond this a deviation is drawn at the panel's edge. */
const MOST = 0.3

/**
 * Local slopes less the derived exponent against width: a panel per scheme, a curve per quantity, the tolerance as a
 * band.
 */
export function localSlopeFigure(points: readonly LocalSlopePoint[], tolerance: number): TopLevelSpec {
  const quantities = distinct(points.map(({ quantity }) => quantity))
  const colour = { field: "quantity", scale: { domain: quantities }, legend: null }
  const x = logChannel(
    "width n",
    points.map(({ width }) => width),
    2,
  )
  const y = linearChannel("slope less derived", [-MOST, MOST])
  const panel = (name: string) => {
    const own = points
      .filter(({ scheme }) => scheme === name)
      .map((point) => ({ ...point, drawn: clamp(point.deviation) }))
    const ends = lastPoints(
      own,
      ({ quantity }) => quantity,
      ({ width }) => width,
    ).map(({ quantity, drawn }) => ({ text: quantity, y: drawn, series: quantity }))
    return {
      title: name,
      width: 230,
      height: HEIGHT,
      layer: [
        {
          data: { values: [{ low: -tolerance, high: tolerance }] },
          mark: { type: "rect", color: "#ddd", opacity: 0.6 },
          encoding: { y: { field: "low", ...y }, y2: { field: "high" } },
        },
        {
          data: { values: own },
          mark: { type: "line", strokeWidth: 1.5 },
          encoding: {
            x: { field: "width", ...x },
            y: { field: "drawn", ...y },
            color: colour,
            strokeDash: { field: "quantity", scale: { domain: quantities }, legend: null },
          },
        },
        labelLayer(spreadLabels(ends, y, HEIGHT), y, { ...colour, field: "series" }),
      ],
    }
  }
  return panels(distinct(points.map(({ scheme }) => scheme)).map(panel), 3)
}

function clamp(value: number): number {
  return Math.max(-MOST, Math.min(MOST, value))
}
