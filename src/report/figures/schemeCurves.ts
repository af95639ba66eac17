import type { TopLevelSpec } from "vega-lite"
import { type Channel, linearChannel, logChannel } from "./axes.js"
import { distinct, panels } from "./panels.js"

/** What one run at one width was measured to have. */
export interface SchemePoint {
  readonly scheme: string
  /** What is measured: a panel each. */
  readonly measure: string
  readonly rate: number
  /** Finite. */
  readonly value: number
}

/** Values beyond this ratio are drawn on a logarithmic axis. */
const WIDE = 4

/** A measure against the rate: a panel a measure, a curve a scheme through the means of its runs, which are points. */
export function schemeCurvesFigure(points: readonly SchemePoint[]): TopLevelSpec {
  const x = logChannel(
    "learning rate η",
    points.map(({ rate }) => rate),
  )
  const schemes = distinct(points.map(({ scheme }) => scheme))
  const color = { field: "scheme", type: "nominal", title: "scheme", scale: { domain: schemes } }
  const panel = (measure: string) => {
    const own = points.filter((point) => point.measure === measure)
    const y = { field: "value", ...channelOf(measure, own) }
    const shared = { x: { field: "rate", ...x }, color }
    return {
      width: 300,
      height: 240,
      data: { values: own },
      layer: [
        {
          mark: { type: "line", clip: true },
          encoding: { ...shared, strokeDash: { ...color }, y: { ...y, aggregate: "mean" } },
        },
        { mark: { type: "point", size: 18, opacity: 0.7 }, encoding: { ...shared, y } },
      ],
    }
  }
  return panels(distinct(points.map(({ measure }) => measure)).map(panel), 2)
}

function channelOf(measure: string, points: readonly SchemePoint[]): Channel {
  const values = points.map(({ value }) => value)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  if (least > 0 && most > WIDE * least) return logChannel(measure, values)
  const margin = 0.05 * (most - least || 1)
  return linearChannel(measure, [least - margin, most + margin])
}
