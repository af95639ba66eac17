import { z } from "zod"
import type { CensoredFit } from "../fit/censored.js"
import type { Noise } from "../fit/curvePlaces.js"
import type { Curve, CurveFit, CurveTable } from "../fit/curves.js"
import type { ReportTable } from "./table.js"

const bound = z.number().nullable()
const slope = z
  .object({
    exponent: z.number(),
    low: bound.describe("95 %, profile likelihood; null is unbounded"),
    high: bound,
    scatter: z.number().describe("standard deviation of ln(rate) about the line"),
    observations: z.int(),
    censored: z.int().describe("observations that are known only to lie in an interval or beyond the grid"),
  })
  .nullable()
const place = z.object({
  rate: bound.describe("by interpolation; null where it may lie beyond the grid"),
  low: bound.describe("the grid's rates it lies between; null where the grid does not bound it"),
  high: bound,
})

/** The JSON of `fit`. */
export const FitJson = z.object({
  schema: z.literal("lora-scaling/fit/1"),
  of: z.string(),
  fits: z.array(
    z.object({
      group: z.string(),
      exponent: bound,
      low: bound.describe("95 %; null without an interval or where it is unbounded"),
      high: bound,
      widths: z.int(),
      flags: z.array(z.string()),
      identified: z
        .boolean()
        .optional()
        .describe(
          "whether the data bound the exponent of the optimal rate on both sides: else it is no number to act on",
        ),
      method: z
        .enum(["slope", "censored"])
        .describe("slope: a size; censored: likelihood with minima beyond the grid censored"),
      bracketed: slope.optional().describe("the optimal rate from the neighbours of each minimum alone"),
      edge: slope.optional().describe("the stability edge"),
    }),
  ),
  noise: bound
    .optional()
    .describe("standard deviation of one run's loss at its curve's least; null where nothing tells it"),
  noiseGrowth: z
    .number()
    .optional()
    .describe(
      "what it varies by besides, in parts of its height above its curve's least: the squares add; 0 is even noise",
    ),
  noiseFrom: z
    .enum(["repeats", "smoothness", "shape", "order"])
    .optional()
    .describe(
      "told by repeated runs, by how far losses lie from a smooth curve, from curves of one shape near their least ones, or from one that falls to one minimum and rises beyond it",
    ),
  edgeShare: z
    .number()
    .optional()
    .describe("how far above the least loss, in parts of it, a run within the edge may end"),
  curves: z
    .array(
      z.object({
        group: z.string(),
        model: z.string().nullable(),
        width: z.number(),
        seed: z.string().describe("empty where there is none, or several are pooled"),
        runs: z.int().describe("with a loss, or diverged"),
        optimum: place,
        edge: place,
      }),
    )
    .optional(),
  read: z.array(z.string()).optional().describe("how the table was read, and what was counted or left out"),
  says: z.array(z.string()).optional().describe("what the numbers can and cannot say, in words"),
})
export type FitJson = z.infer<typeof FitJson>

/** A curve table as the JSON of `fit`. */
export function curveTableJson(
  of: string,
  { noise, curves, fits }: CurveTable,
  edgeShare: number,
  read: readonly string[],
): FitJson {
  return {
    schema: "lora-scaling/fit/1",
    of,
    noise: noise?.deviation ?? null,
    ...(noise === null ? {} : { noiseGrowth: noise.growth, noiseFrom: noise.from }),
    edgeShare,
    fits: fits.map(({ group, exponent, low, high, identified, widths, flags, method, bracketed, edge }) => ({
      group,
      exponent,
      low: finite(low),
      high: finite(high),
      widths,
      flags: [...flags],
      identified,
      method,
      bracketed: slopeJson(bracketed),
      edge: slopeJson(edge),
    })),
    curves: curves.map(({ optimum, edge, ...curve }) => ({
      ...curve,
      optimum: placeJson(optimum),
      edge: placeJson(edge),
    })),
    read: [...read],
    says: readings(edgeShare, noise),
  }
}

/** What noise is counted from where no run was repeated. */
const OFF: Readonly<Record<Exclude<Noise["from"], "repeats">, string>> = {
  smoothness: "a smooth curve",
  shape: "curves of one shape near their least ones",
  order: "curves that fall to one minimum and rise beyond it",
}

/** How noise grows, in words; empty where it is even. */
function grown({ growth }: Noise): string {
  const part = Number((100 * growth).toPrecision(2))
  return growth === 0 ? "" : ` at their curve's least, and besides by ${part} % of their height above it`
}

/** What a table of losses against rates can and cannot say of the theory, a sentence each. */
export function readings(edgeShare: number, noise: Noise | null): string[] {
  const percent = `${Number((100 * edgeShare).toPrecision(3))} %`
  return [
    "An optimum at the grid's edge is a bound, not a value: it enters the slope as lying beyond its neighbour.",
    "Intervals come from the scatter of ln(rate) about the line, between models or widths, and from what the grid hides, and are never shorter than the losses' noise alone makes them; seeds are repetitions, pooled at each width.",
    "With five rates or more the optima are fitted together: curves of all widths have one shape, at heights, curvatures and places of their own. With fewer the intervals allow for curves that rise up to twice as much on one side as on the other.",
    "The bracketed interval uses only that a minimum lies between its neighbours: it needs no shape of the curve, and is a range of what is possible, wider than a 95 % interval.",
    `The stability edge is the largest rate up to which no run diverged or ended more than ${percent} above its curve's least loss.`,
    noise === null
      ? "No run was repeated: how far a loss varies by itself is unknown, and counts as zero."
      : noise.from === "repeats"
        ? `Repeated runs differ by ${noise.deviation.toPrecision(2)} in the loss${grown(noise)} (standard deviation); losses whose means are that close count as equal.`
        : `No run was repeated; losses lie ${noise.deviation.toPrecision(2)} off ${OFF[noise.from]} (standard deviation), which counts as their noise.`,
    "The theory bounds the largest stable rate; it does not say where below the bound the loss is least. A slope of the optimum other than the bound's exponent does not contradict it.",
    "Models of different width differ in depth, data and family too: a slope over them is of all these at once.",
  ]
}

/** The slopes of a curve table, a row a group. */
export function curveFitTable(fits: readonly CurveFit[]): ReportTable {
  return {
    columns: [
      "group",
      "exponent",
      "95 %",
      "bracketed",
      "edge",
      "edge 95 %",
      "curves",
      "widths",
      "beyond grid",
      "flags",
    ],
    rows: fits.map(({ group, exponent, low, high, identified, bracketed, edge, curves, widths, censored, flags }) => [
      group,
      exponent === null ? null : identified ? exponent.toFixed(3) : "not identified",
      low === null || high === null ? null : range(low, high),
      bracketed === null ? null : range(bracketed.interval.low, bracketed.interval.high),
      edge?.exponent.toFixed(3) ?? null,
      edge === null ? null : range(edge.interval.low, edge.interval.high),
      curves,
      widths,
      censored,
      flags.join("; "),
    ]),
  }
}

/** The curves of a curve table, a row each: optimum and stability edge, with the rates of the grid they lie between. */
export function curvesTable(curves: readonly Curve[]): ReportTable {
  const rates = ({ low, high }: { low: number; high: number }) =>
    low === 0 && high === Number.POSITIVE_INFINITY
      ? "unknown"
      : low === 0
        ? `< ${rate(high)}`
        : high === Number.POSITIVE_INFINITY
          ? `> ${rate(low)}`
          : `${rate(low)} ... ${rate(high)}`
  return {
    columns: ["group", "model", "width", "runs", "optimum", "between", "edge", "edge between"],
    rows: curves.map(({ group, model, width, runs, optimum, edge }) => [
      group,
      model,
      width,
      runs,
      optimum.rate === null ? null : rate(optimum.rate),
      rates(optimum),
      edge.rate === null ? null : rate(edge.rate),
      rates(edge),
    ]),
  }
}

function rate(value: number): string {
  return Number(value.toPrecision(3)).toString()
}

/** An interval as text; an unbounded end is -inf or inf. */
export function range(low: number, high: number): string {
  const text = (end: number) => (Number.isFinite(end) ? end.toFixed(3) : end < 0 ? "-inf" : "inf")
  return `[${text(low)}, ${text(high)}]`
}

function slopeJson(fit: CensoredFit | null): z.infer<typeof slope> {
  if (fit === null) return null
  const { exponent, interval, scatter, observations, censored } = fit
  return { exponent, low: finite(interval.low), high: finite(interval.high), scatter, observations, censored }
}

function placeJson({ rate, low, high }: Curve["optimum"]): z.infer<typeof place> {
  return { rate, low: low === 0 ? null : low, high: finite(high) }
}

function finite(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : value
}
