import type { TopLevelSpec } from "vega-lite"

/** What was measured at one point (cA, cB), the middle of its cell. */
export interface PlaneCell {
  readonly cA: number
  readonly cB: number
  /** An exponent, or a distance of exponents; null where the quantity is exactly zero. */
  readonly value: number | null
  /** Whether the measured class is another than the derived one. */
  readonly differs: boolean
}

/** An edge of a derived set. */
export interface PlaneEdge {
  readonly cA: number
  readonly cB: number
  readonly toA: number
  readonly toB: number
}

/** One heat map: a measured quantity in the plane of the two rates, the derived set's boundary on it. */
export interface PlanePanel {
  readonly title: string
  readonly subtitle: string
  readonly legend: string
  /** The side of a cell. */
  readonly step: number
  readonly cells: readonly PlaneCell[]
  readonly edges: readonly PlaneEdge[]
  /** What the set is called, and the point over which that is written. */
  readonly label: { readonly text: string; readonly cA: number; readonly cB: number }
}

const SIZE = 390

/**
 * Heat maps over (cA, cB), a row of panels for each scheme: the luminance alone tells the value, numbers stand in cells
 * that are large enough, and a cross marks a point that is classified otherwise than derived.
 */
export function ratePlaneFigure(rows: readonly (readonly PlanePanel[])[]): TopLevelSpec {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    vconcat: rows.map((panels) => ({ hconcat: panels.map(panel), resolve: { scale: { color: "independent" } } })),
    resolve: { scale: { color: "independent" } },
  } as unknown as TopLevelSpec
}

function panel({ title, subtitle, legend, step, cells, edges, label }: PlanePanel) {
  const range = (of: "cA" | "cB") => {
    const values = cells.map((cell) => cell[of])
    return { domain: [Math.min(...values) - step / 2, Math.max(...values) + step / 2], nice: false, zero: false }
  }
  const ticks = (of: "cA" | "cB") =>
    [...new Set(cells.map((cell) => cell[of]))].filter((value) => (2 * value) % 1 === 0)
  const x = (field: string) => ({
    field,
    type: "quantitative",
    scale: range("cA"),
    axis: { title: "cA, exponent of A's rate", values: ticks("cA"), format: ".1~f", grid: false },
  })
  const y = (field: string) => ({
    field,
    type: "quantitative",
    scale: range("cB"),
    axis: { title: "cB, exponent of B's rate", values: ticks("cB"), format: ".1~f", grid: false },
  })
  const squares = cells.map(({ cA, cB, ...rest }) => ({
    ...rest,
    cA,
    cB,
    left: cA - step / 2,
    right: cA + step / 2,
    bottom: cB - step / 2,
    top: cB + step / 2,
    text: rest.value === null ? "−∞" : rest.value.toFixed(2).replace("-", "−").replace("−0.00", "0.00"),
  }))
  const known = cells.flatMap(({ value }) => value ?? [])
  const [low, high] = [Math.min(...known), Math.max(...known)]
  const isRoomy = cells.length <= 100
  const line = (color: string, strokeWidth: number) => ({
    data: { values: edges },
    mark: { type: "rule", color, strokeWidth, strokeCap: "round", clip: true },
    encoding: { x: x("cA"), y: y("cB"), x2: { field: "toA" }, y2: { field: "toB" } },
  })
  const words = (mark: object) => ({
    data: { values: [label] },
    mark: { type: "text", dy: -10, fontSize: 13, fontWeight: "bold", ...mark },
    encoding: { x: x("cA"), y: y("cB"), text: { field: "text" } },
  })
  return {
    title: { text: title, subtitle, subtitleFontSize: 11 },
    width: SIZE,
    height: SIZE,
    layer: [
      {
        data: { values: squares },
        mark: { type: "rect", stroke: "white", strokeWidth: 0.5 },
        encoding: {
          x: x("left"),
          x2: { field: "right" },
          y: y("bottom"),
          y2: { field: "top" },
          color: {
            field: "value",
            type: "quantitative",
            scale: { scheme: "viridis", domain: [low, high], reverse: true },
            legend: { title: legend, gradientLength: SIZE - 60, format: ".1f" },
          },
        },
      },
      ...(isRoomy
        ? [
            {
              data: { values: squares },
              // In a corner, where lines through the cells' middles leave them legible.
              mark: { type: "text", fontSize: 8.5, align: "left", baseline: "bottom", dx: 2, dy: -3 },
              encoding: {
                x: x("left"),
                y: y("bottom"),
                text: { field: "text" },
                color: {
                  condition: {
                    test: `datum.value !== null && datum.value > ${low + 0.55 * (high - low)}`,
                    value: "white",
                  },
                  value: "black",
                },
              },
            },
          ]
        : []),
      line("white", 6),
      line("black", 2.5),
      {
        data: { values: squares.filter(({ differs }) => differs) },
        mark: {
          type: "point",
          shape: "cross",
          angle: 45,
          size: 170,
          filled: false,
          color: "#D55E00",
          strokeWidth: 2.5,
        },
        encoding: { x: x("cA"), y: y("cB") },
      },
      words({ stroke: "white", strokeWidth: 4 }),
      words({ color: "black" }),
    ],
  }
}
