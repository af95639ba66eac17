import type { Channel } from "./axes.js"

/** Pixels between two labels at least. */
const LINE = 13

/** A text beside a panel, at the height of a curve's end; the series gives its colour. */
export interface Label {
  readonly text: string
  readonly y: number
  readonly series?: string
}

/**
 * Labels moved apart where they would overlap.
 *
 * @param height of the panel, in pixels.
 * @returns the labels with `y` moved, for a layer of text marks.
 */
export function spreadLabels(labels: readonly Label[], { scale }: Channel, height: number): Label[] {
  const forward = scale.type === "log" ? Math.log : (value: number) => value
  const backward = scale.type === "log" ? Math.exp : (value: number) => value
  const [low, high] = [forward(scale.domain[0]), forward(scale.domain[1])]
  const perPixel = (high - low) / height
  const sorted = [...labels].sort((p, q) => p.y - q.y)
  const clamp = (value: number) => Math.min(high, Math.max(low, value))
  const places = sorted.map(({ y }) => clamp(forward(y)) / perPixel)
  const top = high / perPixel
  for (let i = 1; i < places.length; i++) places[i] = Math.max(places[i]!, places[i - 1]! + LINE)
  for (let i = places.length - 1, most = top; i >= 0; i--, most = places[i + 1]! - LINE)
    places[i] = Math.min(places[i]!, most)
  return sorted.map((label, i) => ({ ...label, y: backward(places[i]! * perPixel) }))
}

/** The layer that draws labels to the right of the panel; grey unless a colour channel is given. */
export function labelLayer(labels: readonly Label[], y: Channel, colour?: object): object {
  return {
    data: { values: labels },
    mark: { type: "text", align: "left", baseline: "middle", dx: 6, ...(colour ? {} : { color: "#555" }) },
    encoding: {
      x: { value: "width" },
      y: { field: "y", ...y },
      text: { field: "text" },
      ...(colour ? { color: colour } : {}),
    },
  }
}

/** The last point of each series. */
export function lastPoints<T>(points: readonly T[], series: (point: T) => string, x: (point: T) => number): T[] {
  const last = new Map<string, T>()
  for (const point of points) {
    const before = last.get(series(point))
    if (before === undefined || x(point) > x(before)) last.set(series(point), point)
  }
  return [...last.values()]
}
