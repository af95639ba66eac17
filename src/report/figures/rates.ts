import type { TopLevelSpec } from "vega-lite"
import { logChannel } from "./axes.js"
import { labelLayer, lastPoints, spreadLabels } from "./labels.js"
import { distinct, panels } from "./panels.js"

/** A located rate at one width, and whether the grid's edge hides it. */
export interface RatePoint {
  readonly scheme: string
  readonly panel: string
  readonly width: number
  readonly rate: number
  readonly low: number
  readonly high: number
  readonly censored: boolean
}

/** A point of a scheme's reference line rate = constant · n^exponent; schemes of one slope share its label. */
export interface ReferenceLine {
  readonly scheme: string
  readonly panel: string
  readonly label: string
  readonly width: number
  readonly rate: number
}

/** Pixels of a panel. */
const USUAL = { width: 300, height: 280 }

/** Octaves between the points of two schemes at one width, so that their intervals lie side by side. */
const APART = 0.07

/** Rate against width on logarithmic axes, a panel per level, with labelled reference slopes; hollow where censored. */
export function optimalRateFigure(
  points: readonly RatePoint[],
  lines: readonly ReferenceLine[],
  { width, height } = USUAL,
): TopLevelSpec {
  const schemes = distinct(points.map(({ scheme }) => scheme))
  const colour = { field: "scheme", scale: { domain: schemes }, legend: null }
  const x = logChannel(
    "width n",
    [...points, ...lines].map(({ width }) => width),
    2,
  )
  const panel = (name: string) => {
    const own = points
      .filter((point) => point.panel === name)
      .map((point) => {
        const place = schemes.indexOf(point.scheme) - (schemes.length - 1) / 2
        return { ...point, width: point.width * 2 ** (APART * place) }
      })
    const references = lines.filter((line) => line.panel === name)
    const y = logChannel("learning rate η", [
      ...own.flatMap(({ rate, low, high }) => [rate, low, high]),
      ...references.map(({ rate }) => rate),
    ])
    const labels = spreadLabels(
      [
        ...lastPoints(
          own,
          ({ scheme }) => scheme,
          ({ width }) => width,
        ).map(({ scheme, rate }) => ({ text: scheme, y: rate, series: scheme })),
        ...lastPoints(
          references,
          ({ label }) => label,
          ({ width }) => width,
        ).map(({ label, rate }) => ({ text: label, y: rate })),
      ],
      y,
      height,
    )
    const encoding = { x: { field: "width", ...x }, color: colour }
    return {
      title: name,
      width,
      height,
      layer: [
        {
          data: { values: references },
          mark: { type: "line", color: "#777", strokeDash: [5, 4] },
          encoding: { x: encoding.x, y: { field: "rate", ...y }, detail: { field: "scheme" } },
        },
        {
          data: { values: own },
          mark: { type: "rule", strokeWidth: 1.5 },
          encoding: { ...encoding, y: { field: "low", ...y }, y2: { field: "high" } },
        },
        {
          data: { values: own },
          mark: { type: "point", size: 60, filled: true, opacity: 1 },
          encoding: {
            ...encoding,
            y: { field: "rate", ...y },
            shape: { field: "scheme", scale: { domain: schemes }, legend: null },
          },
        },
        {
          data: { values: own.filter(({ censored }) => censored) },
          mark: { type: "point", size: 18, filled: true, color: "white", opacity: 1 },
          encoding: { x: encoding.x, y: { field: "rate", ...y } },
        },
        labelLayer(
          labels.filter(({ series }) => series === undefined),
          y,
        ),
        labelLayer(
          labels.filter(({ series }) => series !== undefined),
          y,
          { ...colour, field: "series" },
        ),
      ],
    }
  }
  return panels(distinct(points.map(({ panel }) => panel)).map(panel), 2)
}
