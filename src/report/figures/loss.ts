import type { TopLevelSpec } from "vega-lite"
import { logChannel } from "./axes.js"
import { distinct, panels } from "./panels.js"

/** The loss at one rate and width, geometric mean over seeds; null where a seed diverged. */
export interface LossPoint {
  readonly scheme: string
  readonly width: number
  readonly rate: number
  readonly loss: number | null
}

/**
 * Loss against rate, a curve per width, a panel per scheme; where runs diverged the curve ends. Each minimum is marked,
 * the narrowest and the widest width's by name.
 *
 * @param what the loss is called on its axis.
 */
export function lossFigure(points: readonly LossPoint[], what = "final training loss"): TopLevelSpec {
  const drawn = points.flatMap(({ loss, ...rest }) => (loss === null ? [] : [{ ...rest, loss }]))
  const widths = distinct(drawn.map(({ width }) => width)).sort((x, y) => x - y)
  const x = logChannel(
    "learning rate η",
    drawn.map(({ rate }) => rate),
  )
  const losses = drawn.map(({ loss }) => loss)
  // Room below the curves for the names of the minima.
  const y = logChannel(what, [...losses, Math.min(...losses) ** 1.12 / Math.max(...losses) ** 0.12])
  const legend = { symbolType: "stroke", symbolSize: 500, symbolFillColor: "transparent" }
  const width = {
    field: "width",
    type: "ordinal",
    title: "width n",
    sort: "ascending",
    scale: { domain: widths },
    legend,
  }
  const colour = { ...width, scale: { domain: widths, scheme: "viridis" } }
  const panel = (scheme: string) => {
    const own = drawn.filter((point) => point.scheme === scheme)
    const minima = widths.flatMap((width) => {
      const curve = own.filter((point) => point.width === width)
      return curve.length === 0 ? [] : [curve.reduce((p, q) => (q.loss < p.loss ? q : p))]
    })
    const ends = [minima[0], minima.length > 1 ? minima.at(-1) : undefined]
      .filter((end) => end !== undefined)
      .sort((p, q) => p.rate - q.rate)
    const rates = drawn.map(({ rate }) => Math.log(rate))
    const [least, most] = [Math.min(...rates), Math.max(...rates)]
    // On the left only where there is room for it.
    const isLeft = (rate: number, i: number) => i === 0 && Math.log(rate) - least > 0.2 * (most - least)
    const named = ends.map((end, i) => ({
      data: { values: [{ ...end, text: `n = ${end.width}` }] },
      mark: {
        type: "text",
        baseline: "bottom",
        align: isLeft(end.rate, i) ? "right" : "left",
        dx: isLeft(end.rate, i) ? -4 : 4,
        dy: -4,
        color: "#333",
      },
      encoding: { x: { field: "rate", ...x }, y: { value: "height" }, text: { field: "text" } },
    }))
    const rules = {
      data: { values: ends },
      mark: { type: "rule", color: "#777", strokeDash: [2, 2] },
      encoding: { x: { field: "rate", ...x }, y: { field: "loss", ...y }, y2: { value: "height" } },
    }
    return {
      title: scheme,
      width: 300,
      height: 260,
      layer: [
        rules,
        {
          data: { values: own },
          mark: { type: "line", clip: true },
          encoding: {
            x: { field: "rate", ...x },
            y: { field: "loss", ...y },
            color: colour,
            strokeDash: width,
          },
        },
        {
          data: { values: minima },
          mark: { type: "point", filled: true, size: 45, opacity: 1 },
          encoding: { x: { field: "rate", ...x }, y: { field: "loss", ...y }, color: colour },
        },
        ...named,
      ],
    }
  }
  return panels(distinct(drawn.map(({ scheme }) => scheme)).map(panel), 2)
}
