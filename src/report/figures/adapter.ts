import type { TopLevelSpec } from "vega-lite"
import { productNormOf } from "../../inspect/finding.js"
import type { MeasuredRun } from "../../inspect/measureRun.js"
import { logChannel } from "./axes.js"
import { panels } from "./panels.js"

/** The most modules of one kind that a figure's row names. */
const MOST_ROWS = 60

/** A layer's number in a module's name; the name's place where it has none. */
function layerOf(name: string, i: number): number {
  const found = /(?:^|[._])(\d+)(?:[._]|$)/.exec(name)
  return found === null ? i : Number(found[1])
}

const order = ({ run }: MeasuredRun) => run.checkpoints.map(({ label }) => label)

/** ‖s·BA‖ as a heat map: a panel a checkpoint, a row a layer, a column a kind of module. */
export function sizesFigure(measured: MeasuredRun): TopLevelSpec {
  const { modules, run } = measured
  const cells = modules.flatMap(({ name, kind, scale, points }, i) =>
    points.map(({ spectrum }, t) => {
      const size = (scale.value ?? 1) * productNormOf(spectrum)
      return {
        layer: layerOf(name, i),
        kind,
        checkpoint: run.checkpoints[t]!.label,
        size,
        log: size > 0 ? Math.log10(size) : null,
      }
    }),
  )
  const layers = new Set(cells.map(({ layer }) => layer)).size
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    data: { values: cells },
    facet: { column: { field: "checkpoint", sort: order(measured), title: null } },
    spec: {
      width: { step: 26 },
      height: { step: Math.max(4, Math.min(18, 18 * (MOST_ROWS / Math.max(MOST_ROWS, layers)))) },
      layer: [
        {
          mark: { type: "rect" },
          encoding: {
            x: { field: "kind", type: "nominal", title: null, axis: { labelAngle: -40 } },
            y: { field: "layer", type: "ordinal", title: "layer", axis: { labelOverlap: true } },
            color: { field: "log", type: "quantitative", title: "log₁₀ ‖s·BA‖", scale: { scheme: "viridis" } },
          },
        },
      ],
    },
  } as unknown as TopLevelSpec
}

interface Line {
  readonly module: string
  readonly checkpoint: string
  readonly value: number
}

function linesPanel(title: string, lines: readonly Line[], labels: readonly string[], all: readonly Line[]): object {
  const shown = lines.filter(({ value }) => value > 0 && Number.isFinite(value))
  return {
    title,
    width: 220,
    height: 170,
    data: { values: shown },
    mark: { type: "line", strokeWidth: 1, opacity: 0.55, point: { size: 12 }, color: "#0072B2" },
    encoding: {
      x: {
        field: "checkpoint",
        type: "ordinal",
        sort: labels,
        scale: { domain: labels },
        title: null,
        axis: { labelAngle: -40 },
      },
      y: {
        field: "value",
        ...logChannel(
          "Frobenius norm",
          all.map(({ value }) => value),
        ),
      },
      detail: { field: "module" },
    },
  }
}

/** Norms of A, B and BA over checkpoints; zeros are left out of the logarithmic axis. */
export function normsFigure(measured: MeasuredRun): TopLevelSpec {
  const labels = order(measured)
  const lines = (value: (point: MeasuredRun["modules"][number]["points"][number]) => number) =>
    measured.modules.flatMap(({ name, points }) =>
      points.map((point, t) => ({ module: name, checkpoint: labels[t]!, value: value(point) })),
    )
  const parts = {
    "‖A‖": lines(({ a }) => a.norm),
    "‖B‖": lines(({ b }) => b.norm),
    "‖BA‖": lines(({ spectrum }) => productNormOf(spectrum)),
  }
  return panels(
    Object.entries(parts).map(([title, own]) => linesPanel(title, own, labels, own)),
    3,
  )
}

/** The three terms of Δ(BA) over intervals, on one axis. */
export function interactionFigure(measured: MeasuredRun): TopLevelSpec {
  const labels = order(measured).slice(1)
  const lines = (term: "byA" | "byB" | "byBoth") =>
    measured.modules.flatMap(({ name, intervals }) =>
      intervals.map((interval, t) => ({ module: name, checkpoint: labels[t]!, value: interval[term] })),
    )
  const parts = { "‖BΔA‖": lines("byA"), "‖ΔBA‖": lines("byB"), "‖ΔBΔA‖": lines("byBoth") }
  const all = Object.values(parts).flat()
  return panels(
    Object.entries(parts).map(([title, own]) => linesPanel(`${title}, up to`, own, labels, all)),
    3,
  )
}
