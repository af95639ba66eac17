import type { TopLevelSpec } from "vega-lite"

const widthAxis = {
  field: "width",
  type: "quantitative",
  scale: { type: "log", base: 2 },
  axis: { title: "width n", format: "d", values: [128, 256, 512, 1024, 2048, 4096, 8192, 16384] },
} as const

const dataSchema = "https://vega.github.io/schema/vega-lite/v6.json"

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

/** A reference line rate = constant · n^exponent. */
export interface ReferenceLine {
  readonly panel: string
  readonly label: string
  readonly width: number
  readonly rate: number
}

/** Rate against width on log-log axes, one panel per level, with lines n^(−1/2) and n^(−1). */
export function optimalRateFigure(points: readonly RatePoint[], lines: readonly ReferenceLine[]): TopLevelSpec {
  const rate = {
    type: "quantitative",
    scale: { type: "log" },
    axis: { title: "learning rate", format: ".0e", tickCount: 5 },
  } as const
  const panels = [...new Set(points.map(({ panel }) => panel))]
  const panel = (name: string) => ({
    title: name,
    width: 300,
    height: 280,
    layer: [
      {
        data: { values: lines.filter((line) => line.panel === name) },
        mark: { type: "line", color: "#777", strokeDash: [5, 4] },
        encoding: { x: widthAxis, y: { field: "rate", ...rate }, detail: { field: "label" } },
      },
      {
        data: { values: lines.filter((line) => line.panel === name) },
        transform: [
          { joinaggregate: [{ op: "max", field: "width", as: "last" }] },
          { filter: "datum.width === datum.last" },
        ],
        mark: { type: "text", align: "right", dy: 12, color: "#555" },
        encoding: { x: widthAxis, y: { field: "rate", ...rate }, text: { field: "label" } },
      },
      {
        data: { values: points.filter((point) => point.panel === name) },
        mark: { type: "rule", strokeWidth: 1.5 },
        encoding: {
          x: widthAxis,
          y: { field: "low", ...rate },
          y2: { field: "high" },
          color: { field: "scheme", title: "scheme" },
        },
      },
      {
        data: { values: points.filter((point) => point.panel === name) },
        mark: { type: "point", size: 60, filled: true, opacity: 1 },
        encoding: {
          x: widthAxis,
          y: { field: "rate", ...rate },
          color: { field: "scheme", title: "scheme" },
          shape: { field: "scheme", title: "scheme" },
        },
      },
      {
        data: { values: points.filter((point) => point.panel === name && point.censored) },
        mark: { type: "point", size: 18, filled: true, color: "white", opacity: 1 },
        encoding: { x: widthAxis, y: { field: "rate", ...rate } },
      },
    ],
  })
  return { $schema: dataSchema, hconcat: panels.map(panel) } as unknown as TopLevelSpec
}

/** One quantity's size at one training step. */
export interface TrajectoryPoint {
  readonly scheme: string
  readonly width: number
  readonly quantity: "|Z_A|" | "|Z_B|"
  readonly step: number
  readonly value: number
}

/** |Z_A| and |Z_B| through training: a row per quantity, a column per width. */
export function trajectoryFigure(points: readonly TrajectoryPoint[]): TopLevelSpec {
  return {
    $schema: dataSchema,
    data: { values: points.filter(({ value }) => value > 0 && Number.isFinite(value)) },
    mark: { type: "line", strokeWidth: 2 },
    width: 260,
    height: 180,
    encoding: {
      x: { field: "step", type: "quantitative", axis: { title: "training step t" } },
      y: {
        field: "value",
        type: "quantitative",
        scale: { type: "log" },
        axis: { title: "root mean square", tickCount: 5 },
      },
      color: { field: "scheme", title: "scheme" },
      strokeDash: { field: "scheme", title: "scheme" },
      row: { field: "quantity", title: null },
      column: { field: "width", title: "width n", sort: "ascending" },
    },
  } as unknown as TopLevelSpec
}

/** The loss at one rate and width, geometric mean over seeds; null where every seed diverged. */
export interface LossPoint {
  readonly scheme: string
  readonly width: number
  readonly rate: number
  readonly loss: number | null
}

/** Loss against rate, one line per width, one panel per scheme; where runs diverged the line ends. */
export function lossFigure(points: readonly LossPoint[]): TopLevelSpec {
  return {
    $schema: dataSchema,
    data: { values: points.filter(({ loss }) => loss !== null) },
    mark: { type: "line", point: { size: 25 }, clip: true },
    width: 300,
    height: 260,
    encoding: {
      x: {
        field: "rate",
        type: "quantitative",
        scale: { type: "log" },
        axis: { title: "learning rate", format: ".0e", tickCount: 5 },
      },
      y: { field: "loss", type: "quantitative", scale: { type: "log" }, axis: { title: "final training loss" } },
      color: { field: "width", type: "ordinal", title: "width n", scale: { scheme: "viridis" } },
      column: { field: "scheme", title: null },
    },
  } as unknown as TopLevelSpec
}

/** A derived exponent beside the measured one. */
export interface ExponentPoint {
  readonly quantity: string
  readonly derived: number
  readonly measured: number
  readonly low: number
  readonly high: number
  readonly verdict: string
}

/** Measured against derived exponents with the diagonal, a panel per quantity; shape and colour by verdict. */
export function exponentFigure(points: readonly ExponentPoint[]): TopLevelSpec {
  const derived = points.map((point) => point.derived)
  const [low, high] = [Math.min(...derived) - 0.1, Math.max(...derived) + 0.1]
  const scale = { domain: [low, high], nice: false }
  const x = { type: "quantitative", scale, axis: { title: "derived exponent" } }
  const y = { type: "quantitative", scale, axis: { title: "measured exponent" } }
  const verdict = { field: "verdict", title: "verdict" }
  return {
    $schema: dataSchema,
    data: { values: points },
    facet: { field: "quantity", title: "measured exponents with 95 % intervals, and the diagonal" },
    columns: 3,
    spec: {
      width: 200,
      height: 200,
      layer: [
        {
          data: { values: [low, high].map((v) => ({ v })) },
          mark: { type: "line", color: "#999", strokeDash: [4, 4] },
          encoding: { x: { field: "v", ...x }, y: { field: "v", ...y } },
        },
        {
          mark: { type: "rule", strokeWidth: 1.5, clip: true },
          encoding: { x: { field: "derived", ...x }, y: { field: "low", ...y }, y2: { field: "high" }, color: verdict },
        },
        {
          mark: { type: "point", size: 45, clip: true },
          encoding: { x: { field: "derived", ...x }, y: { field: "measured", ...y }, color: verdict, shape: verdict },
        },
      ],
    },
  } as unknown as TopLevelSpec
}

/** A quantity's root mean square at one width, and the derived power law beside it. */
export interface CoordinatePoint {
  readonly quantity: string
  readonly width: number
  readonly value: number
  readonly derived: number
}

/** Coordinate check: sizes against width on logarithmic axes, the derived slopes through the widest width. */
export function coordinateFigure(points: readonly CoordinatePoint[]): TopLevelSpec {
  const x = { field: "width", type: "quantitative", scale: { type: "log" }, axis: { title: "width n", tickCount: 4 } }
  const y = (field: string) => ({
    field,
    type: "quantitative",
    scale: { type: "log" },
    axis: { title: "root mean square", tickCount: 4 },
  })
  return {
    $schema: dataSchema,
    data: { values: points.filter(({ value }) => value > 0 && Number.isFinite(value)) },
    facet: {
      field: "quantity",
      title: "size at the last step (points) and the derived slope through the widest width",
    },
    columns: 3,
    spec: {
      width: 200,
      height: 150,
      layer: [
        { mark: { type: "line", color: "#777", strokeDash: [5, 4] }, encoding: { x, y: y("derived") } },
        { mark: { type: "point", filled: true, size: 45 }, encoding: { x, y: y("value") } },
      ],
    },
    resolve: { scale: { y: "independent" } },
  } as TopLevelSpec
}
