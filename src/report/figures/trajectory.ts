import type { TopLevelSpec } from "vega-lite"
import { linearChannel, logChannel } from "./axes.js"
import { labelLayer, lastPoints, spreadLabels } from "./labels.js"
import { distinct, panels } from "./panels.js"

/** One quantity's size at one training step. */
export interface TrajectoryPoint {
  readonly scheme: string
  readonly width: number
  readonly quantity: "|Z_A|" | "|Z_B|"
  readonly step: number
  readonly value: number
}

const HEIGHT = 180

/** |Z_A| and |Z_B| through training: a row per quantity, a column per width. */
export function trajectoryFigure(points: readonly TrajectoryPoint[]): TopLevelSpec {
  const drawn = points.filter(({ value }) => value > 0 && Number.isFinite(value))
  const schemes = distinct(drawn.map(({ scheme }) => scheme))
  const widths = distinct(drawn.map(({ width }) => width)).sort((x, y) => x - y)
  const quantities = distinct(drawn.map(({ quantity }) => quantity))
  const colour = { field: "scheme", scale: { domain: schemes }, legend: null }
  const x = linearChannel("training step t", [0, Math.max(...drawn.map(({ step }) => step))])
  const panel = (quantity: TrajectoryPoint["quantity"], width: number) => {
    const own = drawn.filter((point) => point.quantity === quantity)
    const y = logChannel(
      "root mean square",
      own.map(({ value }) => value),
    )
    const here = own.filter((point) => point.width === width)
    const labels = lastPoints(
      here,
      ({ scheme }) => scheme,
      ({ step }) => step,
    ).map(({ scheme, value }) => ({ text: scheme, y: value, series: scheme }))
    return {
      title: `${quantity} at n = ${width}`,
      width: 260,
      height: HEIGHT,
      layer: [
        {
          data: { values: here },
          mark: { type: "line", strokeWidth: 2 },
          encoding: {
            x: { field: "step", ...x },
            y: { field: "value", ...y },
            color: colour,
            strokeDash: { field: "scheme", scale: { domain: schemes }, legend: null },
          },
        },
        labelLayer(spreadLabels(labels, y, HEIGHT), y, { ...colour, field: "series" }),
      ],
    }
  }
  const all = quantities.flatMap((quantity) => widths.map((width) => panel(quantity, width)))
  return panels(all, widths.length)
}
