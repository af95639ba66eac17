/** What `inspect` says, as JSON, as text and as a section of a document. */
import { z } from "zod"
import { effectiveRank } from "../inspect/core.js"
import type { Answer, Finding } from "../inspect/finding.js"
import { percent, productNormOf, shown } from "../inspect/finding.js"
import { directionsHolding } from "../inspect/findings/rankUnused.js"
import type { MeasuredModule, MeasuredRun } from "../inspect/measureRun.js"
import { distanceFromStart, startOf } from "../inspect/starts.js"
import { interactionFigure, normsFigure, sizesFigure } from "./figures/adapter.js"
import type { Section, SectionPart } from "./section.js"
import type { ReportTable } from "./table.js"

const Factor = z.object({
  norm: z.number().nullable().describe("Frobenius"),
  rms: z.number().nullable(),
  largest: z.number().nullable(),
  kurtosis: z.number().nullable(),
  spectrum: z.array(z.number()).describe("singular values, falling"),
  broken: z.number().int().describe("entries that are no finite number"),
})
const Move = z.object({
  norm: z.number().nullable(),
  largest: z.number().nullable(),
  unchanged: z.number().describe("share of entries that are the same to the bit"),
  angle: z.number().nullable().describe("in degrees, between the factor before and after"),
  halfUlp: z.array(z.number()).length(3).nullable().describe("quantiles 5, 50, 95 % of half an ulp as stored"),
})
const Start = z.object({
  origin: z.enum(["zero", "random", "unknown"]),
  distance: z.number().nullable().describe("Frobenius"),
  atMost: z.number().nullable().describe("a bound, where the distance is not known"),
  how: z.string().nullable().describe("what it is told from; null where it cannot be told"),
})
const Interval = z.object({
  a: Move,
  b: Move,
  byA: z.number().nullable().describe("norm of B ΔA, Frobenius, without the multiplier; B before"),
  byB: z.number().nullable().describe("norm of ΔB A"),
  byBoth: z.number().nullable().describe("norm of ΔB ΔA"),
  operators: z
    .object({ byA: z.number().nullable(), byB: z.number().nullable(), byBoth: z.number().nullable() })
    .describe("the same as largest singular values: by the power method, too small by a percent at most"),
})

/** The JSON of `inspect`. */
export const InspectionJson = z.object({
  schema: z.literal("lora-scaling/inspect/1"),
  runs: z.array(
    z.object({
      name: z.string(),
      path: z.string(),
      format: z.string(),
      base: z.string().nullable(),
      checkpoints: z.array(z.object({ label: z.string(), step: z.number().nullable(), path: z.string() })),
      notes: z.array(z.string()),
      spans: z
        .array(
          z.object({
            steps: z.tuple([z.number(), z.number()]).nullable(),
            rateSum: z.number().nullable().describe("of the logged rates: sign-like updates move no entry farther"),
          }),
        )
        .describe("between neighbouring checkpoints"),
      findings: z.array(
        z.object({
          id: z.string().describe("its page is docs/doctor/<id>.md"),
          title: z.string(),
          state: z
            .enum(["sick", "notice", "healthy", "fact", "unknown"])
            .describe("unknown: not identifiable from these files"),
          says: z.string(),
          number: z.number().nullable(),
          threshold: z.number().nullable(),
          measures: z.string(),
          source: z
            .enum(["theory", "null distribution", "number format", "none"])
            .describe("where the threshold comes from"),
          thresholdText: z.string(),
          why: z.string(),
          settle: z.string(),
          modules: z.array(z.string()),
        }),
      ),
      modules: z.array(
        z.object({
          name: z.string(),
          kind: z.string().describe("the end of its name: modules of one kind are compared"),
          rank: z.number(),
          input: z.number(),
          output: z.number(),
          types: z.array(z.string()).describe("number types of A and B as stored"),
          scale: z.object({ value: z.number().nullable(), alpha: z.number().nullable(), source: z.string() }),
          weight: z
            .object({
              name: z.string(),
              shape: z.array(z.number()),
              type: z.string().describe("number type as stored"),
              isRead: z.boolean().describe("whether its norm could be read: not of packed or scaled numbers"),
            })
            .nullable()
            .describe("the base model's tensor"),
          base: z.number().nullable().describe("Frobenius norm of W"),
          start: z
            .object({ a: Start, b: Start })
            .describe("what each factor was before the first step, and how far it is from that at the last checkpoint"),
          points: z.array(
            z.object({
              a: Factor,
              b: Factor,
              spectrum: z.array(z.number()).describe("of BA, without the multiplier"),
              effectiveRank: z.number().nullable(),
              distance: z
                .object({ a: z.number().nullable(), b: z.number().nullable() })
                .describe("of each factor from the first checkpoint's, Frobenius"),
              magnitude: z
                .object({
                  norm: z.number().nullable(),
                  least: z.number().nullable(),
                  largest: z.number().nullable(),
                  moved: z.number().nullable().describe("from the first checkpoint, relative"),
                })
                .nullable()
                .describe("DoRA's magnitudes"),
            }),
          ),
          intervals: z.array(Interval),
          whole: Interval.nullable().describe("from the first checkpoint to the last"),
          persistence: z.object({ a: z.array(z.number()).nullable(), b: z.array(z.number()).nullable() }),
        }),
      ),
    }),
  ),
  across: z
    .array(z.object({ id: z.string(), state: z.string(), says: z.string() }))
    .describe("findings between the runs"),
})
export type InspectionJson = z.infer<typeof InspectionJson>

/** A run and the answers to every question. */
export interface Examined {
  readonly measured: MeasuredRun
  readonly answers: readonly { readonly finding: Finding; readonly answer: Answer }[]
}

/** A finding between runs. */
export interface AcrossFinding {
  readonly id: string
  readonly state: Answer["state"]
  readonly says: string
}

/** The JSON of inspected runs; numbers that are not finite are null. */
export function inspectionJson(runs: readonly Examined[], across: readonly AcrossFinding[]): InspectionJson {
  const value = {
    schema: "lora-scaling/inspect/1" as const,
    runs: runs.map(({ measured, answers }) => ({
      name: measured.run.name,
      path: measured.run.path,
      format: measured.run.checkpoints.at(-1)!.adapter.format,
      base: measured.base?.path ?? null,
      checkpoints: measured.run.checkpoints.map(({ label, step, path }) => ({ label, step, path })),
      notes: measured.notes,
      spans: measured.spans,
      findings: answers.map(({ finding: { id, title, measures, threshold, why, settle }, answer }) => ({
        id,
        title,
        state: answer.state,
        says: answer.says,
        number: answer.number,
        threshold: answer.threshold,
        measures,
        source: threshold.source,
        thresholdText: threshold.text,
        why,
        settle,
        modules: answer.modules,
      })),
      modules: measured.modules.map((module) => ({
        ...module,
        start: startsJson(measured, module),
        points: module.points.map((point) => ({ ...point, effectiveRank: effectiveRank(point.spectrum) })),
      })),
    })),
    across,
  }
  return JSON.parse(JSON.stringify(value))
}

function startsJson(measured: MeasuredRun, module: MeasuredModule) {
  const start = startOf(measured, module)
  const one = (factor: "a" | "b") => {
    const known = distanceFromStart(measured, module, factor)
    const { value = null, atMost = null, how = null } = known ?? {}
    return { origin: start[factor], distance: value, atMost, how }
  }
  return { a: one("a"), b: one("b") }
}

const MARKS: Readonly<Record<Answer["state"], string>> = {
  sick: "✗",
  notice: "!",
  healthy: "✓",
  fact: "·",
  unknown: "?",
}

/** The findings of a run for a terminal: sick ones first, with why and what would settle them. */
export function inspectionText({ measured, answers }: Examined): string {
  const { run, modules, notes } = measured
  const title = `${run.name}: ${run.checkpoints.at(-1)!.adapter.format}, ${modules.length} modules, ${run.checkpoints.map(({ label }) => label).join(", ")}`
  const order: readonly Answer["state"][] = ["fact", "sick", "notice", "healthy", "unknown"]
  const lines = order.flatMap((state) =>
    answers
      .filter(({ answer }) => answer.state === state)
      .map(({ finding, answer }) =>
        [
          `${MARKS[state]} ${finding.title}: ${answer.says}`,
          ...(state === "sick" || state === "notice"
            ? [
                `    threshold ${answer.threshold === null ? "" : `${shown(answer.threshold)} `}(${finding.threshold.source}): ${finding.threshold.text}`,
                `    why it matters: ${finding.why}`,
                `    what would settle it: ${finding.settle}`,
                `    page: docs/doctor/${finding.id}.md`,
              ]
            : []),
        ].join("\n"),
      ),
  )
  return [title, ...notes, "", ...lines, ""].join("\n")
}

/** One row a module: what it is and how it stands at the last checkpoint. */
export function modulesTable({ modules }: MeasuredRun): ReportTable {
  return {
    columns: [
      "module",
      "rank",
      "scale",
      "‖A‖",
      "‖B‖",
      "‖s·BA‖",
      "effective rank",
      "99 % in",
      "A moved",
      "B moved",
      "‖BΔA‖",
      "‖ΔBA‖",
      "‖ΔBΔA‖",
    ],
    rows: modules.map((module) => moduleRow(module)),
  }
}

function moduleRow({ name, rank, scale, points, whole, intervals }: MeasuredModule): (string | number | null)[] {
  const last = points.at(-1)!
  const first = points[0]!
  const moved = (factor: "a" | "b") =>
    whole === null
      ? null
      : first[factor].norm === 0
        ? `0 → ${shown(last[factor].norm)}`
        : percent(whole[factor].norm / first[factor].norm)
  const interval = intervals.at(-1)
  const rankNow = effectiveRank(last.spectrum)
  return [
    name,
    rank,
    scale.value === null ? "?" : shown(scale.value),
    shown(last.a.norm),
    shown(last.b.norm),
    shown((scale.value ?? 1) * productNormOf(last.spectrum)),
    rankNow === null ? null : shown(rankNow),
    directionsHolding(last.spectrum),
    moved("a"),
    moved("b"),
    ...(interval === undefined
      ? [null, null, null]
      : [shown(interval.byA), shown(interval.byB), shown(interval.byBoth)]),
  ]
}

/**
 * Between checkpoints: how far the factors moved and what made the change of the product, a row a module and interval.
 */
function intervalsTable({ modules, spans, run: { checkpoints } }: MeasuredRun): ReportTable {
  return {
    columns: [
      "module",
      "from",
      "to",
      "‖ΔA‖",
      "‖ΔB‖",
      "‖BΔA‖",
      "‖ΔBA‖",
      "‖ΔBΔA‖",
      "A unchanged",
      "B unchanged",
      "A turned by",
      "B turned by",
      "sum of rates",
      "largest ΔA",
      "largest ΔB",
    ],
    rows: modules.flatMap(({ name, intervals }) =>
      intervals.map(({ a, b, byA, byB, byBoth }, i) => [
        name,
        checkpoints[i]!.label,
        checkpoints[i + 1]!.label,
        a.norm,
        b.norm,
        byA,
        byB,
        byBoth,
        a.unchanged,
        b.unchanged,
        a.angle,
        b.angle,
        spans[i]!.rateSum,
        a.largest,
        b.largest,
      ]),
    ),
  }
}

/** A run as a section of a document: findings, the table of modules, heat maps and lines over steps. */
export function inspectionSection({ measured, answers }: Examined, id: string): Section {
  const { run, notes } = measured
  const parts: SectionPart[] = [
    {
      kind: "table",
      caption: "Findings, each with its threshold and what would settle it; a page each in `docs/doctor`",
      table: {
        columns: ["", "finding", "what the files say", "number", "threshold", "source", "what would settle it"],
        rows: answers.map(({ finding, answer }) => [
          `${MARKS[answer.state]} ${answer.state}`,
          finding.title,
          answer.says,
          answer.number === null ? null : shown(answer.number),
          answer.threshold === null ? null : shown(answer.threshold),
          `${finding.threshold.source}: ${finding.threshold.text}`,
          finding.settle,
        ]),
      },
    },
    {
      kind: "figure",
      name: "sizes",
      caption: "The size of s·BA in every module and checkpoint",
      spec: sizesFigure(measured),
    },
    ...(run.checkpoints.length < 2
      ? []
      : [
          {
            kind: "figure" as const,
            name: "norms",
            caption: "Norms of both factors over checkpoints, a line a module",
            spec: normsFigure(measured),
          },
          {
            kind: "figure" as const,
            name: "changes",
            caption: "What makes the change of BA between checkpoints: BΔA, ΔBA and ΔBΔA, a line a module",
            spec: interactionFigure(measured),
          },
        ]),
    {
      kind: "table",
      caption: "Modules at the last checkpoint; changes of the last interval",
      table: modulesTable(measured),
    },
  ]
  return {
    id,
    title: run.name,
    answer: null,
    claim: [
      `${run.checkpoints.length} checkpoints: ${run.checkpoints.map(({ label }) => label).join(", ")}.`,
      ...notes,
    ].join(" "),
    parts,
    findings: [],
    data: { modules: modulesTable(measured), intervals: intervalsTable(measured) },
  }
}
