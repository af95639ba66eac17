import type { TopLevelSpec } from "vega-lite"
import { logChannel } from "./axes.js"
import { labelLayer, lastPoints, spreadLabels } from "./labels.js"
import { distinct, panels } from "./panels.js"

/** How the losses of two schemes at one rate compare. */
export interface AdvantagePoint {
  readonly width: number
  readonly rate: number
  /** Loss of Init[A] over that of Init[B]. */
  readonly ratio: number
}

const HEIGHT = 260

/** Ratio of losses at the same rate, a curve per width; below the line at 1 Init[A] is ahead. */
export function advantageFigure(points: readonly AdvantagePoint[]): TopLevelSpec {
  const widths = distinct(points.map(({ width }) => width)).sort((x, y) => x - y)
  const colour = { field: "width", type: "ordinal", scale: { domain: widths, scheme: "viridis" }, legend: null }
  const x = logChannel(
    "learning rate η",
    points.map(({ rate }) => rate),
  )
  const y = logChannel("loss of Init[A] / loss of Init[B]", [1, ...points.map(({ ratio }) => ratio)])
  const ends = lastPoints(
    points,
    ({ width }) => String(width),
    ({ rate }) => rate,
  ).map(({ width, ratio }) => ({ text: `n = ${width}`, y: ratio, series: String(width) }))
  const labels = spreadLabels(ends, y, HEIGHT).map(({ text, y: height, series }) => ({
    text,
    y: height,
    width: Number(series),
  }))
  const panel = {
    width: 420,
    height: HEIGHT,
    layer: [
      {
        data: { values: [{ y: 1 }] },
        mark: { type: "rule", color: "#777", strokeDash: [5, 4] },
        encoding: { y: { field: "y", ...y } },
      },
      {
        data: { values: points },
        mark: { type: "line", strokeWidth: 1.5, point: { size: 20 } },
        encoding: { x: { field: "rate", ...x }, y: { field: "ratio", ...y }, color: colour },
      },
      labelLayer(labels, y, colour),
    ],
  }
  return panels([panel], 1)
}
