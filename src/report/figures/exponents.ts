import type { TopLevelSpec } from "vega-lite"
import { linearChannel } from "./axes.js"
import { distinct, panels } from "./panels.js"

/** A derived exponent beside the measured one. */
export interface ExponentPoint {
  readonly quantity: string
  readonly derived: number
  readonly measured: number
  readonly low: number
  readonly high: number
  readonly verdict: string
}

/** A verdict with its colour: what contradicts is seen first. */
const VERDICTS = { agrees: "#0072B2", inconclusive: "#888888", contradicts: "#D55E00" }

/** Measured against derived exponents with their intervals and the diagonal, a panel per quantity. */
export function exponentFigure(points: readonly ExponentPoint[]): TopLevelSpec {
  const derived = points.map((point) => point.derived)
  const domain = [Math.min(...derived) - 0.15, Math.max(...derived) + 0.15] as const
  const x = linearChannel("derived exponent of n", domain)
  const y = linearChannel("measured exponent of n", domain)
  const verdict = { field: "verdict", title: "verdict", scale: { domain: Object.keys(VERDICTS) } }
  const colour = { ...verdict, scale: { ...verdict.scale, range: Object.values(VERDICTS) } }
  const panel = (quantity: string) => {
    const own = points.filter((point) => point.quantity === quantity)
    return {
      title: quantity,
      width: 200,
      height: 200,
      layer: [
        {
          data: { values: domain.map((v) => ({ v })) },
          mark: { type: "line", color: "#999", strokeDash: [4, 4] },
          encoding: { x: { field: "v", ...x }, y: { field: "v", ...y } },
        },
        {
          data: { values: [{ v: domain[0] + 0.72 * (domain[1] - domain[0]) }] },
          mark: { type: "text", angle: 315, dy: 14, color: "#555", fontSize: 9 },
          encoding: { x: { field: "v", ...x }, y: { field: "v", ...y }, text: { value: "measured = derived" } },
        },
        {
          data: { values: own },
          mark: { type: "rule", strokeWidth: 1.5, clip: true },
          encoding: { x: { field: "derived", ...x }, y: { field: "low", ...y }, y2: { field: "high" }, color: colour },
        },
        {
          data: { values: own },
          mark: { type: "point", size: 45, clip: true },
          encoding: { x: { field: "derived", ...x }, y: { field: "measured", ...y }, color: colour, shape: verdict },
        },
      ],
    }
  }
  return panels(distinct(points.map(({ quantity }) => quantity)).map(panel), 3)
}
