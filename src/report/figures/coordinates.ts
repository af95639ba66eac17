import type { TopLevelSpec } from "vega-lite"
import { logChannel } from "./axes.js"
import { labelLayer, lastPoints } from "./labels.js"
import { distinct, panels } from "./panels.js"

/** A quantity's root mean square at one width, and the derived power law beside it. */
export interface CoordinatePoint {
  readonly quantity: string
  readonly width: number
  readonly value: number
  readonly derived: number
  /** The derived power, as `powerLabel` writes it. */
  readonly law: string
}

/** Coordinate check: sizes against width on logarithmic axes, the derived power laws through the widest width. */
export function coordinateFigure(points: readonly CoordinatePoint[]): TopLevelSpec {
  const drawn = points.filter(({ value }) => value > 0 && Number.isFinite(value))
  const x = logChannel(
    "width n",
    drawn.map(({ width }) => width),
    2,
  )
  const panel = (quantity: string) => {
    const own = drawn.filter((point) => point.quantity === quantity)
    const y = logChannel(
      "root mean square",
      own.flatMap(({ value, derived }) => [value, derived]),
    )
    const ends = lastPoints(
      own,
      () => quantity,
      ({ width }) => width,
    )
    return {
      title: quantity,
      width: 190,
      height: 150,
      layer: [
        {
          data: { values: own },
          mark: { type: "line", color: "#777", strokeDash: [5, 4] },
          encoding: { x: { field: "width", ...x }, y: { field: "derived", ...y } },
        },
        {
          data: { values: own },
          mark: { type: "point", filled: true, size: 45, opacity: 1 },
          encoding: { x: { field: "width", ...x }, y: { field: "value", ...y } },
        },
        labelLayer(
          ends.map(({ derived, law }) => ({ text: law, y: derived })),
          y,
        ),
      ],
    }
  }
  return panels(distinct(drawn.map(({ quantity }) => quantity)).map(panel), 3)
}
